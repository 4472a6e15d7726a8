"""Who may do what with the timetable, and how often."""

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class MayWrite(BasePermission):
    """Everybody reads, staff write."""

    message = "Only staff may change the timetable."

    def has_permission(self, request: Request, view: APIView) -> bool:
        del view
        return request.method in SAFE_METHODS or bool(getattr(request.user, "is_staff", False))


class MayEnter(BasePermission):
    """Staff read and write."""

    message = "Only staff may see this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        del view
        return bool(getattr(request.user, "is_staff", False))


# The next two have no docstring: it would stand in the API's description of every view below them.


class StaffWrite(APIView):  # for views that everybody reads; staff write, under their own limit
    permission_classes = (MayWrite,)

    @property
    def throttle_scope(self) -> str | None:
        return None if self.request.method in SAFE_METHODS else "staff"


class StaffOnly(APIView):  # for views that are staff's alone
    permission_classes = (MayEnter,)
    throttle_scope = "staff"
