"""`operations/`: parse, call one service, render."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.operations import audit, bookings
from analytics.operations.dashboard import dashboard
from analytics.operations.live_holds import free_hold, list_live_holds
from analytics.operations.serializers import (
    AuditQuery,
    BookingsQuery,
    DashboardOut,
    FactOut,
    HoldsQuery,
    LiveHoldOut,
    ReleaseBody,
    ReleasedOut,
    StaffBookingOut,
    StatisticsOut,
    StatisticsQuery,
)
from analytics.operations.statistics import statistics
from analytics.staff import PAGE, PROBLEMS, StaffView, page_of, read_query
from config.http.pagination import Window, envelope, read_window
from config.http.requests import django_request
from config.http.schema import problem_responses
from users.claims import Caller

_TAGS = ["operations"]


def _page(request: Request, window: Window, count: int, rows: Sequence[Any]) -> Response:
    plain = django_request(request)
    return Response(envelope(plain, window=window, count=count, results=rows))


class BookingsView(StaffView):
    @extend_schema(
        operation_id="staff_bookings",
        tags=_TAGS,
        summary="Any booking",
        parameters=[BookingsQuery, *PAGE],
        responses={200: page_of(StaffBookingOut(), "StaffBookingPage"), **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        window = read_window(request.query_params)
        asked = bookings.Asked(**read_query(BookingsQuery, request))
        count, found = bookings.find_bookings(asked=asked, limit=window.limit, offset=window.offset)
        return _page(request, window, count, list(StaffBookingOut(found, many=True).data))


class StatisticsView(StaffView):
    @extend_schema(
        operation_id="statistics",
        tags=_TAGS,
        summary="Totals by day, train, class and status",
        parameters=[StatisticsQuery],
        responses={200: StatisticsOut, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return Response(StatisticsOut(statistics(**read_query(StatisticsQuery, request))).data)


class DashboardView(StaffView):
    @extend_schema(
        operation_id="dashboard",
        tags=_TAGS,
        summary="Counts for the first screen",
        description="A store that is away leaves its numbers null; the rest is still told.",
        responses={200: DashboardOut, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        del request
        return Response(DashboardOut(dashboard()).data)


class HoldsView(StaffView):
    @extend_schema(
        operation_id="staff_holds",
        tags=_TAGS,
        summary="Live holds over all departures",
        parameters=[HoldsQuery, *PAGE],
        responses={200: page_of(LiveHoldOut(), "LiveHoldPage"), **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        window = read_window(request.query_params)
        asked = read_query(HoldsQuery, request)
        count, holds = list_live_holds(**asked, limit=window.limit, offset=window.offset)
        return _page(request, window, count, list(LiveHoldOut(holds, many=True).data))


class ReleaseHoldView(StaffView):
    @extend_schema(
        operation_id="staff_release_hold",
        tags=_TAGS,
        summary="Free a stuck hold",
        request=ReleaseBody,
        responses={
            200: ReleasedOut,
            **PROBLEMS,
            **problem_responses("not-found", "hold-expired", "illegal-state"),
        },
        examples=[
            OpenApiExample("A call", {"reason": "Traveller rang, cannot pay"}, request_only=True)
        ],
    )
    def post(self, request: Request, hold: str) -> Response:
        body = ReleaseBody(data=request.data)
        body.is_valid(raise_exception=True)
        reason = body.validated_data["reason"]
        assert isinstance(request.auth, Caller)  # noqa: S101  # IsAdminUser stands before
        free_hold(actor=request.auth.user_id, sid=request.auth.sid, hold=hold, reason=reason)
        return Response(ReleasedOut({"hold": hold, "status": "released", "reason": reason}).data)


class AuditView(StaffView):
    @extend_schema(
        operation_id="audit",
        tags=_TAGS,
        summary="The trail of a hold, a booking or a user",
        description=(
            "A hold and the booking it became are one story: either name shows it whole, ordered "
            "by stage and number. It lags behind by what is not shipped yet, about a second."
        ),
        parameters=[AuditQuery, *PAGE],
        responses={200: page_of(FactOut(), "FactPage"), **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        window = read_window(request.query_params)
        asked = audit.Asked(**read_query(AuditQuery, request))
        count, facts = audit.trail(asked=asked, limit=window.limit, offset=window.offset)
        return _page(request, window, count, list(FactOut(facts, many=True).data))
