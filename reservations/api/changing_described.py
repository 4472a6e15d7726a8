"""The call that changes a booking in the OpenAPI document."""

from config.http.openapi import Operation, describe
from reservations.api.change_bodies import ChangeBody, ChangedBody
from reservations.api.described import BODY, KEYED, PNR, SIGNED_IN

describe(
    Operation(
        method="POST",
        path="reservations/bookings/{pnr}/change/",
        name="change_booking",
        tag="Reservations",
        summary="Other seats, or another departure, in one step",
        description=(
            "The old seats are the traveller's until the new ones are booked. A lower fare gives "
            "the difference back. A higher one, of a booking that was paid for, is answered with "
            "202: the new seats are held, and the change is made once `due` is paid. The ticket is "
            "issued anew. Staff may change anybody's; whoever has boarded cannot."
        ),
        body=ChangeBody,
        example={"instead_of": ["S1-12"], "seats": ["S1-15"]},
        answers={200: ChangedBody, 202: ChangedBody},
        problems=(
            *BODY,
            *SIGNED_IN,
            "not-found",
            "not-on-sale",
            "seat-unavailable",
            "not-enough-seats",
            "seat-already-booked",
            "hold-expired",
            "illegal-state",
            "limit-reached",
            "payment-required",
            *KEYED,
        ),
        parameters=(PNR,),
        idempotent=True,
    ),
)
