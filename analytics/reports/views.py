"""`analytics/`: parse, ask one report, render."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.reports.demand import demand
from analytics.reports.funnel import funnel
from analytics.reports.latency import latency
from analytics.reports.occupancy import Wanted, occupancy
from analytics.reports.serializers import (
    DemandOut,
    EndpointLatencyOut,
    FunnelOut,
    LatencyQuery,
    OccupancyOut,
    OccupancyQuery,
    RouteCountOut,
    SinceQuery,
    TopRoutesQuery,
)
from analytics.reports.top_routes import top_routes
from analytics.staff import PAGE, PROBLEMS, StaffView, page_of, read_query
from config.http.pagination import envelope, read_window
from config.http.requests import django_request

_TAGS = ["analytics"]


class TopRoutesView(StaffView):
    @extend_schema(
        operation_id="top_routes",
        tags=_TAGS,
        summary="The routes with the most searches or bookings",
        parameters=[TopRoutesQuery],
        responses={200: RouteCountOut(many=True), **PROBLEMS},
        examples=[
            OpenApiExample(
                "Mumbai to Goa",
                [{"source": "CSMT", "destination": "MAO", "count": 412}],
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
    def get(self, request: Request) -> Response:
        routes = top_routes(**read_query(TopRoutesQuery, request))
        return Response(RouteCountOut(routes, many=True).data)


class FunnelView(StaffView):
    @extend_schema(
        operation_id="funnel",
        tags=_TAGS,
        summary="What became of the holds that were taken",
        parameters=[SinceQuery],
        responses={200: FunnelOut, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return Response(FunnelOut(funnel(**read_query(SinceQuery, request))).data)


class LatencyView(StaffView):
    @extend_schema(
        operation_id="latency",
        tags=_TAGS,
        summary="How long answers take, per endpoint",
        description="Nearest-rank percentiles in milliseconds, exact to 0.5 %.",
        parameters=[LatencyQuery],
        responses={200: EndpointLatencyOut(many=True), **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        endpoints = latency(**read_query(LatencyQuery, request))
        return Response(EndpointLatencyOut(endpoints, many=True).data)


class OccupancyView(StaffView):
    @extend_schema(
        operation_id="occupancy",
        tags=_TAGS,
        summary="How full departures are",
        description="Departures with a booking between two service dates, or the one named.",
        parameters=[OccupancyQuery, *PAGE],
        responses={200: page_of(OccupancyOut(), "OccupancyPage"), **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        window = read_window(request.query_params)
        wanted = Wanted(**read_query(OccupancyQuery, request))
        count, rows = occupancy(wanted=wanted, limit=window.limit, offset=window.offset)
        results = list(OccupancyOut(rows, many=True).data)
        plain = django_request(request)
        return Response(envelope(plain, window=window, count=count, results=results))


class DemandView(StaffView):
    @extend_schema(
        operation_id="demand",
        tags=_TAGS,
        summary="Searches by hour and weekday",
        parameters=[SinceQuery],
        responses={200: DemandOut, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return Response(DemandOut(demand(**read_query(SinceQuery, request))).data)
