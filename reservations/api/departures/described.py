"""The availability calls in the OpenAPI document."""

from typing import Any, Final

from config.http.openapi import Operation, Parameter, describe
from reservations.api.departures.bodies import DepartureBody, FoundPage, SeatMapBody
from reservations.api.departures.views import CODE_MAX, SEATS_WANTED_MAX

TOKEN: Final = ("not-authenticated", "token-expired")
COMMON: Final = (*TOKEN, "throttled", "unavailable")
CODE: Final = {"minLength": 1, "maxLength": CODE_MAX}
DAY: Final = {"format": "date"}
WANTED: Final = {"minimum": 1, "maximum": SEATS_WANTED_MAX}
DEPARTURE: Final = Parameter(name="departure_id", where="path", kind="integer", form={"minimum": 1})

_FOUND: Final[dict[str, Any]] = {
    "count": 1,
    "next": None,
    "previous": None,
    "results": [
        {
            "departure": 23,
            "train": {"number": "10103", "name": "Mandovi Express"},
            "service_date": "2026-12-01",
            "source": {"code": "CSMT", "name": "Mumbai", "departs_at": "2026-12-01T01:40:00Z"},
            "destination": {"code": "MAO", "name": "Madgaon", "arrives_at": "2026-12-01T13:15:00Z"},
            "duration_minutes": 695,
            "distance_km": 765.0,
            "classes": [
                {
                    "travel_class": "SL",
                    "free": 412,
                    "fare": {"amount": "445.00", "currency": "INR"},
                    "waitlist": 0,
                }
            ],
            "free": 412,
            "is_full": False,
        }
    ],
    "stale": False,
}
_SEATS: Final[dict[str, Any]] = {
    "departure": 23,
    "source": "CSMT",
    "destination": "MAO",
    "as_of": "2026-11-21T08:00:00Z",
    "stale": False,
    "free": 1,
    "seats": [
        {
            "seat": "S1-1",
            "coach": "S1",
            "number": 1,
            "travel_class": "SL",
            "position": "lower",
            "status": "free",
        },
        {
            "seat": "S1-2",
            "coach": "S1",
            "number": 2,
            "travel_class": "SL",
            "position": "middle",
            "status": "held",
            "held_until": "2026-11-21T08:03:00Z",
        },
    ],
}

describe(
    Operation(
        method="GET",
        path="departures/search/",
        name="search_departures",
        tag="Departures",
        summary="Search by any two stops in order and a day",
        description=(
            "The day is the local one at the boarding stop. Only what is on sale is shown, by "
            "time of departure; full trains too, marked `is_full` when no class has as many free "
            "seats as wanted. Fares are for one seat. `stale`: only bookings could be counted, "
            "not holds."
        ),
        answers={200: FoundPage},
        answer_examples={200: _FOUND},
        problems=("invalid", "not-on-sale", *COMMON),
        parameters=(
            Parameter(name="source", required=True, about="Station code.", form=CODE),
            Parameter(name="destination", required=True, about="Station code.", form=CODE),
            Parameter(name="date", required=True, about="At the boarding stop.", form=DAY),
            Parameter(name="travel_class", about="Show trains with this class, and only it."),
            Parameter(name="seats", kind="integer", about="1 unless told.", form=WANTED),
            Parameter(name="limit", kind="integer", about="20 unless told, at most 100."),
            Parameter(name="offset", kind="integer", about="How many to leave out first."),
        ),
        open_to_all=True,
    ),
    Operation(
        method="GET",
        path="departures/{departure_id}/",
        name="show_departure",
        tag="Departures",
        summary="One departure: stops with local times, coaches, on sale or not",
        description="`stale`: holds could not be seen, only bookings were counted.",
        answers={200: DepartureBody},
        problems=("not-found", *COMMON),
        parameters=(DEPARTURE,),
        open_to_all=True,
    ),
    Operation(
        method="GET",
        path="departures/{departure_id}/seats/",
        name="show_seats",
        tag="Departures",
        summary="Every seat with its status on a stretch",
        description=(
            "Without source and destination: over the whole run. With a token the seats of my "
            "own holds are `mine`. `held_until`: when a held seat comes free if its hold is not "
            "confirmed. `stale`: holds could not be seen, and seats that are held look free."
        ),
        answers={200: SeatMapBody},
        answer_examples={200: _SEATS},
        problems=("invalid", "not-found", *COMMON),
        parameters=(
            DEPARTURE,
            Parameter(name="source", about="Station code; the first stop unless told."),
            Parameter(name="destination", about="Station code; the last stop unless told."),
        ),
        open_to_all=True,
    ),
)
