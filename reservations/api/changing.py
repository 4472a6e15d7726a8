"""`reservations/bookings/<pnr>/change/`: parse, call one service, render."""

from dataclasses import asdict

import msgspec
from django.http import HttpRequest, HttpResponse

from config.errors import SeatlockError
from config.http.body import read_json
from config.idempotency import claims
from config.idempotency.services import Answer, find, keep, keep_refusal, once
from config.idempotency.views import response_of
from reservations.api.change_bodies import ChangeBody, changed_body
from reservations.api.door import answer, door, to_json, view
from reservations.api.holds import request_key
from reservations.services.change_booking import (
    Changed,
    ChangeWish,
    Draft,
    How,
    apply_change,
    begin_change,
    change_booking,
    is_due,
    pay_change,
)
from reservations.services.hold_seats import Owner, RequestKey
from users.tokens import Caller

_change_body = msgspec.json.Decoder(ChangeBody)


@door("reserve")
def _change(request: HttpRequest, caller: Caller, pnr: str) -> HttpResponse:
    asked = msgspec.structs.asdict(read_json(request, _change_body))
    how = How(provider=asked.pop("provider"), method=asked.pop("method"))
    owner, wish, key = Owner.of(caller), ChangeWish(**asked), request_key(request)
    pnr, as_staff = pnr.upper(), caller.is_staff
    if key is None:
        done = _answer(change_booking(owner=owner, pnr=pnr, wish=wish, how=how, as_staff=as_staff))
        return answer(done.body, done.status)
    with claims.claimed(user_id=caller.user_id, **asdict(key)):
        if kept := find(user_id=caller.user_id, **asdict(key)):
            return response_of(kept)
        seed = f"change\n{caller.user_id}\n{key.key}\n{key.fingerprint}"
        try:
            draft = begin_change(owner=owner, pnr=pnr, wish=wish, as_staff=as_staff, seed=seed)
        except SeatlockError as refused:
            if kept := find(user_id=caller.user_id, **asdict(key)):  # a twin was faster
                return response_of(kept)
            keep_refusal(refused, user_id=caller.user_id, **asdict(key))
            raise
        return _end(caller, key, draft, how)


def _end(caller: Caller, key: RequestKey, draft: Draft, how: How) -> HttpResponse:
    """Make the change with the key's row in its transaction; or begin the payment, which must not
    be in one: what makes one effect of two requests is then that a hold has one open payment.
    """
    if not is_due(draft):
        act = lambda: _answer(apply_change(draft))  # noqa: E731
        return response_of(once(user_id=caller.user_id, **asdict(key), act=act))
    made = _answer(pay_change(draft, how, keep_hold=True))
    keep(made, user_id=caller.user_id, **asdict(key))
    return answer(made.body, made.status)


def _answer(changed: Changed) -> Answer:
    return Answer(202 if changed.due else 200, to_json(changed_body(changed)))


change = view(POST=_change)
