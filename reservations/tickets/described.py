"""The ticket calls in the OpenAPI document."""

from typing import Final

from config.http.openapi import Operation, Parameter, describe
from reservations.tickets.bodies import KeysBody, TicketBody, VerifiedBody, VerifyBody

_SIGNED_IN: Final = ("not-authenticated", "token-expired", "throttled", "unavailable")
_PNR: Final = Parameter(name="pnr", where="path", about="Ten characters, upper or lower case.")
_WIDTH: Final = Parameter(
    name="width", about="a4 unless told.", form={"enum": ["a4", "phone"], "default": "a4"}
)

describe(
    Operation(
        method="GET",
        path="tickets/{pnr}/",
        name="show_ticket",
        tag="Tickets",
        summary="The ticket of a booking of mine",
        description="Staff may see anybody's. Issued within seconds of the booking, or now.",
        answers={200: TicketBody},
        problems=(*_SIGNED_IN, "not-found"),
        parameters=(_PNR,),
    ),
    Operation(
        method="GET",
        path="tickets/{pnr}.pdf",
        name="print_ticket",
        tag="Tickets",
        summary="The ticket as a PDF",
        answers={200: str},
        media_type="application/pdf",
        problems=("invalid", *_SIGNED_IN, "not-found"),
        parameters=(_PNR, _WIDTH),
    ),
    Operation(
        method="GET",
        path="tickets/{pnr}.ics",
        name="ticket_calendar",
        tag="Tickets",
        summary="The journey as an iCalendar file",
        answers={200: str},
        media_type="text/calendar",
        problems=(*_SIGNED_IN, "not-found"),
        parameters=(_PNR,),
    ),
    Operation(
        method="GET",
        path="tickets/keys/",
        name="ticket_keys",
        tag="Tickets",
        summary="The public keys that check tickets offline",
        description=(
            "A JSON Web Key Set. A ticket's token is a JSON Web Token signed with EdDSA; its "
            "header names the key. Claims: tkt ticket number, ser its serial, pnr, dep departure, "
            "trn train, day service date, frm and to stations, sts seats, exp."
        ),
        answers={200: KeysBody},
        problems=("throttled",),
        open_to_all=True,
    ),
    Operation(
        method="POST",
        path="tickets/verify/",
        name="verify_ticket",
        tag="Tickets",
        summary="Check a ticket at the gate and mark it boarded, once",
        body=VerifyBody,
        example={
            "token": "eyJhbGciOiJFZERTQSJ9.eyJ0a3QiOiIxIn0.c2ln",
            "departure": 23,
        },
        answers={200: VerifiedBody},
        problems=("invalid", *_SIGNED_IN, "forbidden"),
    ),
)
