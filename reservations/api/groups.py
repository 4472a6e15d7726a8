"""`reservations/groups/`: agents book a group in one call. Parse, call one service, render."""

from dataclasses import asdict

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.errors import Forbidden
from config.http.body import read_json
from config.http.request_log import note
from config.idempotency import claims
from reservations.api.bodies import GroupBody
from reservations.api.bookings import book_once, booked, rendered
from reservations.api.door import door, view
from reservations.api.holds import may_group, most_seats, request_key
from reservations.services.book_group import book_group
from reservations.services.choose_seats import SeatWish
from reservations.services.confirm_booking import Confirmed
from reservations.services.hold_seats import Owner, RequestKey, claim_hold_id
from users.tokens import Caller

_group_body = msgspec.json.Decoder(GroupBody)


@door("confirm", "script-checked", key_scope="group")
def _group(request: HttpRequest, caller: Caller) -> HttpResponse:
    if not may_group(caller):
        raise Forbidden("Groups are booked by agents")
    if settings.ENV.require_payment == "on" and not caller.by_staff:
        raise Forbidden("Payment is required: lock the seats and pay for them")
    body = read_json(request, _group_body)
    note(request, departure=body.departure, source=body.source, destination=body.destination)
    wish = SeatWish(**msgspec.structs.asdict(body))
    key = request_key(request)
    if key is None:
        return booked(_booked(caller, wish, None))
    with claims.claimed(user_id=caller.user_id, **asdict(key)):
        return book_once(caller, key, lambda: _booked(caller, wish, key))


def _booked(caller: Caller, wish: SeatWish, key: RequestKey | None) -> Confirmed:
    owner = Owner.of(caller)
    claimed = None
    if key is not None:
        claimed = claim_hold_id(owner=owner, departure=wish.departure, key=key)
    return book_group(
        owner=owner,
        wish=wish,
        most_seats=most_seats(caller),
        claimed=claimed,
        key=key,
        encode=rendered,
    )


groups = view(POST=_group)
