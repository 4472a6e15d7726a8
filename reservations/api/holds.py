"""`reservations/lock/` and `reservations/holds/`: parse, call one service, render."""

from dataclasses import asdict
from functools import partial

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.http.body import read_json
from config.http.request_log import note
from config.idempotency import claims
from config.idempotency.headers import fingerprint_of, key_of
from reservations.api import kept_answers
from reservations.api.bodies import LockBody, WaitsBody, hold_body
from reservations.api.door import answer, door, page, paged, view
from reservations.errors import NotEnoughSeats
from reservations.services.choose_seats import SeatWish
from reservations.services.extend_hold import extend_hold
from reservations.services.hold_seats import Owner, RequestKey, claim_hold_id, hold_seats
from reservations.services.list_holds import find_hold, list_holds
from reservations.services.release_hold import release_hold
from reservations.services.wait_instead import wait_instead
from users.tokens import Caller

_lock_body = msgspec.json.Decoder(LockBody)


def request_key(request: HttpRequest) -> RequestKey | None:
    """The request's `Idempotency-Key` with its fingerprint, if it has one. Raises `Invalid`."""
    key = key_of(request)
    if key is None:
        return None
    return RequestKey(key, fingerprint_of(request))


def may_group(caller: Caller) -> bool:
    """Staff, and API keys with that scope, book for groups."""
    return caller.by_staff if caller.key is None else "group" in caller.key.scopes


def most_seats(caller: Caller) -> int:
    """How many seats this caller may hold at once."""
    env = settings.ENV
    most: int = env.group_max_seats if may_group(caller) else env.hold_max_seats
    return most


@door("reserve", "script-checked")
def _lock(request: HttpRequest, caller: Caller) -> HttpResponse:
    body = read_json(request, _lock_body)
    key = request_key(request)
    note(request, departure=body.departure, source=body.source, destination=body.destination)
    owner = Owner.of(caller)
    asked = msgspec.structs.asdict(body)
    on_full = asked.pop("on_full")
    wish = SeatWish(**asked)
    lock = partial(_locked, owner, wish, on_full, most_seats(caller))
    if key is None:
        return lock()
    with claims.given_back(user_id=owner.user, **asdict(key)):
        hold = claim_hold_id(owner=owner, departure=wish.departure, key=key)
        return kept_answers.once(
            hold,
            wish.departure,
            lambda: lock(claimed=hold),
        )


def _locked(
    owner: Owner, wish: SeatWish, on_full: str | None, most: int, claimed: str | None = None
) -> HttpResponse:
    """The hold, or, if too few seats are free and that was asked for, a place in the queue."""
    try:
        held = hold_seats(owner=owner, wish=wish, claimed=claimed, most_seats=most)
        return answer(hold_body(held), 201)
    except NotEnoughSeats as refused:
        if on_full is None:
            raise
        waits = wait_instead(owner=owner, wish=wish, refused=refused, request=claimed)
    return answer(WaitsBody(waits.entry, waits.position, waits.status), 202)


@door("read")
def _list(request: HttpRequest, caller: Caller) -> HttpResponse:
    limit, offset = page(request)
    views = list_holds(user=caller.user_id)
    return paged(request, [hold_body(each) for each in views[offset : offset + limit]], len(views))


@door("read")
def _show(request: HttpRequest, caller: Caller, hold: str) -> HttpResponse:
    del request
    return answer(hold_body(find_hold(user=caller.user_id, hold=hold)))


@door("reserve", "script-checked")
def _extend(request: HttpRequest, caller: Caller, hold: str) -> HttpResponse:
    del request
    extended = extend_hold(user=caller.user_id, sid=caller.sid, hold=hold, acting=caller.acting)
    return answer(hold_body(extended))


@door("reserve", "script-checked")
def _release(request: HttpRequest, caller: Caller, hold: str) -> HttpResponse:
    del request
    release_hold(user=caller.user_id, sid=caller.sid, hold=hold, acting=caller.acting)
    return HttpResponse(status=204)


lock = view(POST=_lock)
holds = view(GET=_list)
hold = view(GET=_show, DELETE=_release)
extend = view(POST=_extend)
