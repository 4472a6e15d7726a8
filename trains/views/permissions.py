"""Who may do what with the timetable."""

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class StaffWrite(BasePermission):
    """Everybody reads, staff write."""

    message = "Only staff may change the timetable."

    def has_permission(self, request: Request, view: APIView) -> bool:
        del view
        return request.method in SAFE_METHODS or bool(getattr(request.user, "is_staff", False))


class StaffOnly(BasePermission):
    """Staff read and write."""

    message = "Only staff may see this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        del view
        return bool(getattr(request.user, "is_staff", False))
