"""The waitlist's calls in the OpenAPI document."""

from typing import Any, Final

from config.http.openapi import Operation, Parameter, describe
from reservations.api.described import BODY, KEYED, PAGE, SIGNED_IN
from reservations.waitlist.bodies import EntryBody, EntryPage, JoinBody

_ENTRY: Final = Parameter(name="entry", where="path", about="The name joining answered with.")
_JOINED: Final[dict[str, Any]] = {
    "entry": "6f0d2c1e-8f5a-4f57-9a3e-0e3a6d0b7c55",
    "status": "waiting",
    "position": 3,
    "departure": 23,
    "source": "CSMT",
    "destination": "MAO",
    "travel_class": "SL",
    "count": 2,
    "joined_at": "2026-11-21T08:00:00Z",
    "closes_at": "2026-11-23T00:40:00Z",
    "offer": None,
    "pnr": None,
    "prepaid": None,
}

describe(
    Operation(
        method="POST",
        path="reservations/waitlist/",
        name="join_waitlist",
        tag="Reservations",
        summary="Wait for seats of a class when too few are free",
        description=(
            "First come, first served for each departure, class and overlapping stretch. While "
            "somebody waits, no new lock gets these seats. When they come free they are held for "
            "who waits: the offer is a hold, to be confirmed or paid before it ends. An entry that "
            "is paid for in advance (`POST payments/` with `entry`) is booked at once instead."
        ),
        body=JoinBody,
        example={
            "departure": 23,
            "source": "CSMT",
            "destination": "MAO",
            "travel_class": "SL",
            "count": 2,
        },
        answers={201: EntryBody},
        answer_examples={201: _JOINED},
        problems=(
            *BODY,
            *SIGNED_IN,
            "not-found",
            "not-on-sale",
            "illegal-state",
            "limit-reached",
            *KEYED,
        ),
        idempotent=True,
    ),
    Operation(
        method="GET",
        path="reservations/waitlist/",
        name="list_waitlist_entries",
        tag="Reservations",
        summary="My entries on waitlists, latest first",
        answers={200: EntryPage},
        problems=("invalid", *SIGNED_IN),
        parameters=PAGE,
    ),
    Operation(
        method="GET",
        path="reservations/waitlist/{entry}/",
        name="show_waitlist_entry",
        tag="Reservations",
        summary="One entry of mine: its position, its offer, or what became of it",
        description="Staff may see anybody's.",
        answers={200: EntryBody},
        problems=(*SIGNED_IN, "not-found"),
        parameters=(_ENTRY,),
    ),
    Operation(
        method="DELETE",
        path="reservations/waitlist/{entry}/",
        name="leave_waitlist",
        tag="Reservations",
        summary="Give up my place, and the offer with it",
        description="An entry that was left already is left (204 again).",
        answers={204: None},
        problems=(*SIGNED_IN, "not-found", "illegal-state"),
        parameters=(_ENTRY,),
    ),
)
