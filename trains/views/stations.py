"""`stations/`."""

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from config.http.schema import IDEMPOTENCY_KEY, problem_responses
from config.idempotency.views import idempotent
from trains.models import Station
from trains.serializers.stations import StationIn, StationOut, StationQuery
from trains.services.create_station import create_station
from trains.services.search_stations import search_stations
from trains.views import examples
from trains.views.permissions import StaffWrite

_EXAMPLE = {
    "code": "CSMT",
    "name": "Mumbai CSM Terminus",
    "latitude": 18.94,
    "longitude": 72.835,
    "timezone": "Asia/Kolkata",
}


class StationsView(StaffWrite, ListAPIView[Station]):
    serializer_class = StationOut

    def get_queryset(self) -> QuerySet[Station]:
        query = StationQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return search_stations(text=query.validated_data["q"])

    @extend_schema(
        summary="Look up stations",
        description="By code or part of the name, best match first; all of them without `q`.",
        parameters=[StationQuery],
        responses={200: StationOut(many=True), **problem_responses("invalid", "not-authenticated")},
        examples=[OpenApiExample("A station", _EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        return self.list(request, *args, **kwargs)

    @extend_schema(
        summary="Add a station (staff)",
        parameters=[IDEMPOTENCY_KEY],
        request=StationIn,
        responses={
            201: StationOut,
            **problem_responses(*examples.CREATING),
        },
        examples=[OpenApiExample("A station", _EXAMPLE)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        asked = StationIn(data=request.data)
        asked.is_valid(raise_exception=True)
        station = create_station(**asked.validated_data, actor_id=request.user.pk)
        return Response(StationOut(station).data, status=201)
