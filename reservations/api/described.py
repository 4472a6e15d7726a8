"""The engine's calls in the OpenAPI document."""

from typing import Any, Final

from config.http.openapi import Operation, Parameter, describe
from reservations.api.bodies import (
    BlockBody,
    BlockedBody,
    BookingBody,
    BookingPage,
    ConfirmBody,
    ErasedBody,
    GroupBody,
    HoldBody,
    HoldPage,
    LockBody,
    WaitsBody,
)

SIGNED_IN: Final = ("not-authenticated", "token-expired", "throttled", "unavailable")
BODY: Final = ("invalid", "too-large", "unsupported-media-type")
KEYED: Final = ("idempotency-in-flight", "idempotency-key-reused")
HOLD: Final = Parameter(name="hold", where="path", about="The hold id a lock answered with.")
PNR: Final = Parameter(name="pnr", where="path", about="Ten characters, upper or lower case.")
DAY: Final = {"format": "date"}
PAGE: Final = (
    Parameter(name="limit", kind="integer", about="20 unless told, at most 100."),
    Parameter(name="offset", kind="integer", about="How many to leave out first."),
)

_HELD: Final[dict[str, Any]] = {
    "hold": "AQAAAAAAFwAAAAAABQ3Xk2Zf0m1Qy5JpUu8s0wVb",
    "status": "held",
    "departure": 23,
    "source": "CSMT",
    "destination": "MAO",
    "seats": ["S1-12", "S1-13"],
    "fare": {
        "amount": "890.00",
        "currency": "INR",
        "parts": [
            {"part": "base", "amount": "80.00"},
            {"part": "distance", "amount": "770.00"},
            {"part": "reservation", "amount": "40.00"},
        ],
    },
    "fence": 1790000000000000,
    "expires_at": "2026-11-21T08:03:00Z",
    "expires_in_seconds": 180,
    "server_time": "2026-11-21T08:00:00Z",
    "capability": "k7A4…",
}

_WAITS: Final[dict[str, Any]] = {
    "entry": "6f0d2c1e-8f5a-4f57-9a3e-0e3a6d0b7c55",
    "position": 3,
    "status": "waiting",
}

describe(
    Operation(
        method="POST",
        path="reservations/lock/",
        name="lock_seats",
        tag="Reservations",
        summary="Lock seats for three minutes: all or none",
        description=(
            "Name seats, or give a count of a class and a preference. Seats taken by somebody "
            "else are named in the refusal, with free ones of the same class. With `on_full` a "
            "count of a class that is not free is waited for, in the same call (202)."
        ),
        body=LockBody,
        example={
            "departure": 23,
            "source": "CSMT",
            "destination": "MAO",
            "travel_class": "SL",
            "count": 2,
            "preference": "together",
        },
        answers={201: HoldBody, 202: WaitsBody},
        answer_examples={201: _HELD, 202: _WAITS},
        problems=(
            *BODY,
            *SIGNED_IN,
            "not-found",
            "not-on-sale",
            "seat-unavailable",
            "not-enough-seats",
            "limit-reached",
            *KEYED,
        ),
        idempotent=True,
    ),
    Operation(
        method="POST",
        path="reservations/groups/",
        name="book_group",
        tag="Reservations",
        summary="Book a group at once: up to 60 seats, all or none",
        description=(
            "For agents: staff, and API keys with the scope `group`. Seats are held and booked in "
            "one call, over as many coaches as it takes; if they cannot all be booked, none is. "
            "Where payment is required (REQUIRE_PAYMENT) machines lock the seats, also up to 60, "
            "and pay for them."
        ),
        body=GroupBody,
        example={
            "departure": 23,
            "source": "CSMT",
            "destination": "MAO",
            "travel_class": "SL",
            "count": 40,
        },
        answers={201: BookingBody},
        problems=(
            *BODY,
            *SIGNED_IN,
            "forbidden",
            "not-found",
            "not-on-sale",
            "seat-unavailable",
            "not-enough-seats",
            "seat-already-booked",
            "hold-expired",
            "limit-reached",
            *KEYED,
        ),
        idempotent=True,
    ),
    Operation(
        method="GET",
        path="reservations/holds/",
        name="list_holds",
        tag="Reservations",
        summary="My live holds, the one that ends soonest first",
        answers={200: HoldPage},
        problems=("invalid", *SIGNED_IN),
        parameters=PAGE,
    ),
    Operation(
        method="GET",
        path="reservations/holds/{hold}/",
        name="show_hold",
        tag="Reservations",
        summary="One live hold of mine",
        answers={200: HoldBody},
        problems=(*SIGNED_IN, "not-found", "hold-expired"),
        parameters=(HOLD,),
    ),
    Operation(
        method="DELETE",
        path="reservations/holds/{hold}/",
        name="release_hold",
        tag="Reservations",
        summary="Release my hold; again is harmless",
        description="It cannot be confirmed any more, also if the store of holds is lost.",
        answers={204: None},
        problems=(*SIGNED_IN, "not-found", "illegal-state"),
        parameters=(HOLD,),
    ),
    Operation(
        method="POST",
        path="reservations/holds/{hold}/extend/",
        name="extend_hold",
        tag="Reservations",
        summary="More time for my hold, up to a cap in all",
        answers={200: HoldBody},
        problems=(*SIGNED_IN, "not-found", "hold-expired", "illegal-state", "limit-reached"),
        parameters=(HOLD,),
    ),
    Operation(
        method="POST",
        path="reservations/confirm/",
        name="confirm_hold",
        tag="Reservations",
        summary="Turn my hold into a booking",
        description=(
            "Sent again it answers 200 with the same booking. Send the `capability` too: with it a "
            "hold is confirmed also when the store of holds is away or has lost its memory. It is "
            "renewed by extending; while the store is away the deadline in the one that is sent "
            "counts. Without it, 503 `unavailable` then."
        ),
        body=ConfirmBody,
        example={"hold": _HELD["hold"], "passengers": [{"name": "Asha Rao", "age": 31}] * 2},
        answers={201: BookingBody, 200: BookingBody},
        problems=(
            *BODY,
            *SIGNED_IN,
            "not-found",
            "hold-expired",
            "payment-required",
            "seat-already-booked",
            *KEYED,
        ),
        idempotent=True,
    ),
    Operation(
        method="GET",
        path="reservations/bookings/",
        name="list_bookings",
        tag="Reservations",
        summary="My bookings, the latest first",
        answers={200: BookingPage},
        problems=("invalid", *SIGNED_IN),
        parameters=(
            Parameter(name="status", form={"enum": ["confirmed", "cancelled"]}),
            Parameter(name="from", about="First service date.", form=DAY),
            Parameter(name="to", about="Last service date.", form=DAY),
            *PAGE,
        ),
    ),
    Operation(
        method="GET",
        path="reservations/bookings/{pnr}/",
        name="show_booking",
        tag="Reservations",
        summary="One booking of mine",
        answers={200: BookingBody},
        problems=(*SIGNED_IN, "not-found"),
        parameters=(PNR,),
    ),
    Operation(
        method="DELETE",
        path="reservations/passengers/",
        name="erase_passengers",
        tag="Reservations",
        summary="Erase who travelled on my bookings that are over or cancelled",
        description=(
            "Names, ages and genders are deleted for good, and so are the answers kept for my "
            "idempotency keys. The bookings stay, and so do the passengers of journeys to come."
        ),
        answers={200: ErasedBody},
        problems=(*SIGNED_IN,),
    ),
    *(
        Operation(
            method=method,
            path="operations/departures/{departure}/blocks/",
            name=name,
            tag="Staff",
            summary=summary,
            body=BlockBody,
            example={"seats": ["S1-12"], "reason": "maintenance"},
            answers={200: BlockedBody},
            problems=(*BODY, *SIGNED_IN, "forbidden", "not-found", "seat-unavailable"),
            parameters=(
                Parameter(name="departure", where="path", kind="integer", form={"minimum": 1}),
            ),
        )
        for method, name, summary in (
            ("POST", "block_seats", "Keep seats of a departure out of sale"),
            ("DELETE", "unblock_seats", "Give blocked seats back to the sale"),
        )
    ),
)
