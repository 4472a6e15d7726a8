"""`reservations/bookings/<pnr>/cancel/` and its twin for staff: parse, call, render."""

from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal

import msgspec
from django.http import HttpRequest, HttpResponse

from config.http.body import read_json
from config.idempotency import claims
from config.idempotency.services import Answer, once
from config.idempotency.views import response_of
from reservations.api.cancel_bodies import (
    CancelBody,
    StaffCancelBody,
    cancelled_body,
    quote_body,
)
from reservations.api.door import answer, door, to_json, view
from reservations.api.holds import request_key
from reservations.services.cancel_booking import Override, cancel_booking, quote_cancellation
from users.tokens import Caller

_cancel_body = msgspec.json.Decoder(CancelBody)
_staff_cancel_body = msgspec.json.Decoder(StaffCancelBody)


@door("read")
def _quote(request: HttpRequest, caller: Caller, pnr: str) -> HttpResponse:
    """`seats`: labels with commas between; without it all seats."""
    named = request.GET.get("seats")
    quoted = quote_cancellation(
        actor=caller.user_id,
        as_staff=caller.is_staff,
        pnr=pnr.upper(),
        seats=None if not named else [label.strip() for label in named.split(",")],
    )
    return answer(quote_body(quoted))


@door("write")
def _cancel(request: HttpRequest, caller: Caller, pnr: str) -> HttpResponse:
    body = read_json(request, _cancel_body)

    def act() -> Answer:
        done = cancel_booking(
            actor=caller.user_id,
            as_staff=caller.is_staff,
            pnr=pnr.upper(),
            seats=body.seats,
            acting=caller.acting,
        )
        return Answer(200, to_json(cancelled_body(done)))

    return _acted(request, caller, act)


@door("staff", "staff")
def _cancel_as_staff(request: HttpRequest, caller: Caller, pnr: str) -> HttpResponse:
    body = read_json(request, _staff_cancel_body)

    def act() -> Answer:
        done = cancel_booking(
            actor=caller.user_id,
            as_staff=True,
            pnr=pnr.upper(),
            seats=body.seats,
            override=Override(
                reason=body.reason, refund=None if body.refund is None else Decimal(body.refund)
            ),
        )
        return Answer(200, to_json(cancelled_body(done)))

    return _acted(request, caller, act)


def _acted(request: HttpRequest, caller: Caller, act: Callable[[], Answer]) -> HttpResponse:
    """Act, under the request's key if it has one."""
    key = request_key(request)
    if key is None:
        return answer(act().body)
    with claims.claimed(user_id=caller.user_id, **asdict(key)):
        return response_of(once(user_id=caller.user_id, **asdict(key), act=act))


cancel = view(GET=_quote, POST=_cancel)
staff_cancel = view(POST=_cancel_as_staff)
