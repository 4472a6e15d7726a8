"""The calls that give seats back, or give passengers other seats, in the OpenAPI document."""

from typing import Final

from config.http.openapi import Operation, Parameter, describe
from reservations.api.cancel_bodies import CancelBody, CancelledBody, QuoteBody, StaffCancelBody
from reservations.api.departure_cancellation import ProgressBody, WithdrawBody
from reservations.api.described import BODY, KEYED, PNR, SIGNED_IN
from reservations.api.reseating import ReseatBody, ReseatingBody

STAFF: Final = (*SIGNED_IN, "forbidden")
DEPARTURE: Final = Parameter(name="departure", where="path", kind="integer", form={"minimum": 1})
RESEATING: Final = Parameter(name="reseating", where="path", kind="integer", form={"minimum": 1})

describe(
    Operation(
        method="GET",
        path="reservations/bookings/{pnr}/cancel/",
        name="quote_cancellation",
        tag="Reservations",
        summary="What cancelling would give back now",
        description="By the rules of the service date and the hours left until boarding.",
        answers={200: QuoteBody},
        problems=("invalid", *SIGNED_IN, "not-found", "illegal-state"),
        parameters=(
            PNR,
            Parameter(name="seats", about="Labels with commas between; all seats without it."),
        ),
    ),
    Operation(
        method="POST",
        path="reservations/bookings/{pnr}/cancel/",
        name="cancel_booking",
        tag="Reservations",
        summary="Cancel a booking, or some of its seats; they are free at once",
        description=(
            "While seats are left the booking stays confirmed, with a new ticket. What goes back "
            "goes through the gateway it was paid by; the booking shows how that stands. Whoever "
            "has boarded cannot cancel."
        ),
        body=CancelBody,
        example={},
        answers={200: CancelledBody},
        problems=(*BODY, *SIGNED_IN, "not-found", "illegal-state", *KEYED),
        parameters=(PNR,),
        idempotent=True,
    ),
    Operation(
        method="POST",
        path="operations/bookings/{pnr}/cancel/",
        name="staff_cancel_booking",
        tag="Operations",
        summary="Cancel for a traveller, past the rules, with a reason",
        body=StaffCancelBody,
        example={"reason": "Taken ill on the way.", "refund": "890.00"},
        answers={200: CancelledBody},
        problems=(*BODY, *SIGNED_IN, "forbidden", "not-found", "illegal-state", *KEYED),
        parameters=(PNR,),
        idempotent=True,
    ),
    *(
        Operation(
            method=method,
            path="operations/departures/{departure}/cancel/",
            name=name,
            tag="Staff",
            summary=summary,
            description=(
                "It is closed for good; its bookings are cancelled and refunded in full in the "
                "background, and their owners told by mail. Sent again it says how far that is."
            ),
            body=body,
            example=example,
            answers={status: ProgressBody},
            problems=(*(BODY if body else ()), *SIGNED_IN, "forbidden", "not-found"),
            parameters=(
                Parameter(name="departure", where="path", kind="integer", form={"minimum": 1}),
            ),
        )
        for method, name, summary, body, example, status in (
            (
                "POST",
                "cancel_departure",
                "Cancel a whole departure",
                WithdrawBody,
                {"reason": "A landslide on the line."},
                202,
            ),
            ("GET", "departure_cancellation", "How far that is", None, None, 200),
        )
    ),
    Operation(
        method="POST",
        path="operations/departures/{departure}/reseatings/",
        name="plan_reseating",
        tag="Staff",
        summary="Another vehicle runs: plan other seats for who loses theirs",
        description=(
            "The seats of the plan are out of sale until it is confirmed or dropped. Nobody moves "
            "before it is confirmed."
        ),
        body=ReseatBody,
        example={
            "coaches": [{"coach": "S1", "vehicle": "SLEEPER-64"}],
            "reason": "S1 was taken out of service.",
        },
        answers={201: ReseatingBody},
        problems=(*BODY, *STAFF, "not-found", "illegal-state", *KEYED),
        parameters=(DEPARTURE,),
        idempotent=True,
    ),
    Operation(
        method="GET",
        path="operations/reseatings/{reseating}/",
        name="show_reseating",
        tag="Staff",
        summary="A plan of other seats",
        answers={200: ReseatingBody},
        problems=(*STAFF, "not-found"),
        parameters=(RESEATING,),
    ),
    Operation(
        method="DELETE",
        path="operations/reseatings/{reseating}/",
        name="drop_reseating",
        tag="Staff",
        summary="Drop a plan: what it kept is on sale again",
        answers={200: ReseatingBody},
        problems=(*STAFF, "not-found", "illegal-state"),
        parameters=(RESEATING,),
    ),
    Operation(
        method="POST",
        path="operations/reseatings/{reseating}/confirm/",
        name="confirm_reseating",
        tag="Staff",
        summary="Do what was planned: passengers move, and are told",
        description="Whoever has no seat in the other vehicle gets its whole fare back.",
        answers={200: ReseatingBody},
        problems=(*STAFF, "not-found", "illegal-state"),
        parameters=(RESEATING,),
    ),
)
