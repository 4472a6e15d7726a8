"""`departures/` as staff add and change them; what travellers see of them is shown above.

Reading one departure needs its seats' state, so `GET departures/<id>/` belongs to the app that
sells: it extends `DepartureView` with `get` and is routed first.
"""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import NotFound
from config.http.schema import IDEMPOTENCY_KEY, problem_responses
from config.idempotency.views import idempotent
from trains.models import Coach, Departure
from trains.serializers.departures import DepartureIn, DepartureOut, DeparturePatch, SeatsMade
from trains.services.change_departure import change_departure
from trains.services.create_departure import create_departure
from trains.services.generate_seats import generate_seats
from trains.views import examples
from trains.views.permissions import StaffWrite


class DeparturesView(StaffWrite):
    @extend_schema(
        summary="Add an extra run (staff)",
        parameters=[IDEMPOTENCY_KEY],
        request=DepartureIn,
        responses={
            201: DepartureOut,
            **problem_responses(*examples.CREATING),
        },
        examples=[examples.EXTRA_RUN],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        asked = DepartureIn(data=request.data)
        asked.is_valid(raise_exception=True)
        departure = create_departure(run=asked.run(), actor_id=request.user.pk)
        return Response(DepartureOut(departure).data, status=201)


class DepartureView(StaffWrite):
    @extend_schema(
        summary="Close, reopen or re-price a departure (staff)",
        description="Holds and bookings stay what they are; new holds follow the change.",
        request=DeparturePatch,
        responses={
            200: DepartureOut,
            **problem_responses(
                "invalid", "not-authenticated", "forbidden", "not-found", "illegal-state"
            ),
        },
        examples=[examples.CLOSED],
    )
    def patch(self, request: Request, departure_id: int) -> Response:
        asked = DeparturePatch(data=request.data)
        asked.is_valid(raise_exception=True)
        departure = change_departure(
            departure_id=departure_id, changes=asked.changes(), actor_id=request.user.pk
        )
        return Response(DepartureOut(departure).data)


class GenerateSeatsView(StaffWrite):
    @extend_schema(
        summary="Repair missing seat rows (staff)",
        description="Repeatable: seats that are there stay as they are.",
        request=None,
        responses={
            200: SeatsMade,
            **problem_responses("not-authenticated", "forbidden", "not-found"),
        },
    )
    def post(self, request: Request, departure_id: int) -> Response:
        departure = Departure.objects.filter(pk=departure_id).first()
        if departure is None:
            raise NotFound(f"There is no departure {departure_id}.")
        coaches = Coach.objects.filter(train_id=departure.train_id).values_list("pk", flat=True)
        made = generate_seats(coach_ids=list(coaches), actor_id=request.user.pk)
        return Response(SeatsMade({"departure": departure.pk, "seats_made": made}).data)
