"""`vehicles/`: templates of coaches and buses, for staff."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import NotFound
from config.http.schema import IDEMPOTENCY_KEY, problem_responses
from config.idempotency.views import idempotent
from trains.models import VehicleTemplate
from trains.serializers.vehicles import NamedVehiclePatch, VehicleIn, VehicleOut, VehiclePatch
from trains.services.save_vehicle import change_vehicle, create_vehicle
from trains.views import examples
from trains.views.permissions import StaffOnly


class VehiclesView(StaffOnly, ListAPIView[VehicleTemplate]):
    serializer_class = VehicleOut

    def get_queryset(self) -> QuerySet[VehicleTemplate]:
        return VehicleTemplate.objects.order_by("code")

    @extend_schema(
        summary="List vehicle templates (staff)",
        responses={
            200: VehicleOut(many=True),
            **problem_responses("invalid", "not-authenticated", "forbidden"),
        },
    )
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        return self.list(request, *args, **kwargs)

    @extend_schema(
        summary="Add a vehicle template (staff)",
        parameters=[IDEMPOTENCY_KEY],
        request=VehicleIn,
        responses={
            201: VehicleOut,
            **problem_responses(*examples.CREATING),
        },
        examples=[examples.VEHICLE],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        asked = VehicleIn(data=request.data)
        asked.is_valid(raise_exception=True)
        template = create_vehicle(proposal=asked.proposal(), actor_id=request.user.pk)
        return Response(VehicleOut(template).data, status=201)

    @extend_schema(
        operation_id="vehicles_partial_update_by_body",
        summary="Change a vehicle template, named in the body (staff)",
        request=NamedVehiclePatch,
        responses={
            200: VehicleOut,
            **problem_responses("invalid", "not-authenticated", "forbidden", "not-found"),
        },
    )
    def patch(self, request: Request) -> Response:
        asked = NamedVehiclePatch(data=request.data)
        asked.is_valid(raise_exception=True)
        return _change(asked.validated_data["code"], asked, request)


class VehicleView(StaffOnly):
    @extend_schema(
        summary="Show a vehicle template (staff)",
        responses={
            200: VehicleOut,
            **problem_responses("not-authenticated", "forbidden", "not-found"),
        },
    )
    def get(self, request: Request, code: str) -> Response:
        del request
        template = VehicleTemplate.objects.filter(code=code).first()
        if template is None:
            raise NotFound(f"There is no template {code}.")
        return Response(VehicleOut(template).data)

    @extend_schema(
        summary="Change a vehicle template (staff)",
        description="Seats made from it stay; coaches to come follow the new layout.",
        request=VehiclePatch,
        responses={
            200: VehicleOut,
            **problem_responses("invalid", "not-authenticated", "forbidden", "not-found"),
        },
    )
    def patch(self, request: Request, code: str) -> Response:
        asked = VehiclePatch(data=request.data)
        asked.is_valid(raise_exception=True)
        return _change(code, asked, request)


def _change(code: str, asked: VehiclePatch, request: Request) -> Response:
    template = change_vehicle(code=code, changes=asked.changes(), actor_id=request.user.pk)
    return Response(VehicleOut(template).data)
