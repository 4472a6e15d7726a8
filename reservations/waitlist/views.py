"""`reservations/waitlist/`: parse, call one service, render."""

from dataclasses import asdict

import msgspec
from django.http import HttpRequest, HttpResponse

from config.http.body import read_json
from config.idempotency import claims
from config.idempotency.services import Answer, once
from config.idempotency.views import response_of
from reservations.api.door import answer, door, page, paged, to_json, view
from reservations.api.holds import request_key
from reservations.services.hold_seats import Owner
from reservations.waitlist.bodies import JoinBody, entry_body
from reservations.waitlist.models import Entry
from reservations.waitlist.services.join_waitlist import WaitWish, join_waitlist
from reservations.waitlist.services.leave_waitlist import leave_waitlist
from reservations.waitlist.services.show_entry import show_entry, view_entries
from users.tokens import Caller

_join_body = msgspec.json.Decoder(JoinBody)


@door("reserve")
def _join(request: HttpRequest, caller: Caller) -> HttpResponse:
    body = read_json(request, _join_body)
    key = request_key(request)
    wish = WaitWish(**msgspec.structs.asdict(body))

    def act() -> Answer:
        entry = join_waitlist(owner=Owner.of(caller), wish=wish)
        (joined,) = view_entries(Entry.objects.filter(pk=entry.pk))
        return Answer(201, to_json(entry_body(joined)))

    if key is None:
        return answer(act().body, 201)
    with claims.claimed(user_id=caller.user_id, **asdict(key)):
        return response_of(once(user_id=caller.user_id, **asdict(key), act=act))


@door("read")
def _list(request: HttpRequest, caller: Caller) -> HttpResponse:
    limit, offset = page(request)
    mine = Entry.objects.filter(owner=caller.user_id).order_by("-id")
    shown = mine.filter(pk__in=list(mine.values_list("pk", flat=True)[offset : offset + limit]))
    return paged(request, [entry_body(each) for each in view_entries(shown)], mine.count())


@door("read")
def _show(request: HttpRequest, caller: Caller, entry: str) -> HttpResponse:
    del request
    user = None if caller.is_staff else caller.user_id
    return answer(entry_body(show_entry(user=user, key=entry)))


@door("reserve")
def _leave(request: HttpRequest, caller: Caller, entry: str) -> HttpResponse:
    del request
    leave_waitlist(user=caller.user_id, key=entry)
    return HttpResponse(status=204)


waitlist = view(GET=_list, POST=_join)
entry = view(GET=_show, DELETE=_leave)
