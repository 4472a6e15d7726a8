"""`reservations/confirm/` and `reservations/bookings/`: parse, call one service, render."""

from collections.abc import Callable
from dataclasses import asdict

import msgspec
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from config.errors import IdempotencyInFlight, Invalid, NotFound, SeatlockError
from config.http.body import read_json
from config.http.query import day
from config.idempotency import claims
from config.idempotency.services import Answer, find, forget_expired, keep_refusal
from config.idempotency.views import response_of
from reservations.api.bodies import ConfirmBody, booking_body
from reservations.api.door import answer, door, encode, page, paged, view
from reservations.api.holds import request_key
from reservations.bookings.views import BookingView, view_bookings
from reservations.errors import PaymentRequired
from reservations.holds import ids
from reservations.models import Booking
from reservations.services.confirm_booking import Confirmed, KeyKnown, confirm_booking
from reservations.services.hold_seats import Owner, RequestKey
from reservations.services.list_holds import find_hold
from users.tokens import Caller

_confirm_body = msgspec.json.Decoder(ConfirmBody)


def rendered(booking: BookingView) -> bytes:
    return encode(booking_body(booking))


@door("confirm", "script-checked")
def _confirm(request: HttpRequest, caller: Caller) -> HttpResponse:
    body = read_json(request, _confirm_body)
    key = request_key(request)
    if key is None:
        return booked(_confirmed(caller, body, None))
    with claims.claimed(user_id=caller.user_id, **asdict(key)):
        return book_once(caller, key, lambda: _confirmed(caller, body, key))


def book_once(caller: Caller, key: RequestKey, book: Callable[[], Confirmed]) -> HttpResponse:
    """Book, or give the answer kept for this key, also when a twin was faster."""
    if kept := _kept(caller, key):
        return response_of(kept)
    try:
        confirmed = book()
    except KeyKnown:
        if forget_expired(user_id=caller.user_id, key=key.key):
            return book_once(caller, key, book)
        return response_of(_kept(caller, key) or _vanished())
    except SeatlockError as refused:
        keep_refusal(refused, user_id=caller.user_id, **asdict(key))
        raise
    if not confirmed.is_new and (kept := _kept(caller, key)):
        return response_of(kept)
    return booked(confirmed)


def _confirmed(caller: Caller, body: ConfirmBody, key: RequestKey | None) -> Confirmed:
    if settings.ENV.require_payment == "on" and not caller.by_staff:
        _refuse_unpaid(caller, body.hold)
    return confirm_booking(
        owner=Owner.of(caller),
        hold=body.hold,
        capability=body.capability,
        passengers=body.passengers,
        key=key,
        encode=rendered,
    )


def booked(confirmed: Confirmed) -> HttpResponse:
    return answer(booking_body(confirmed.booking), 201 if confirmed.is_new else 200)


def _refuse_unpaid(caller: Caller, hold: str) -> None:
    """A hold that is not booked yet needs a payment; one that is, is confirmed again freely."""
    ids.read_own(hold, caller.user_id)
    if not _mine(caller).filter(hold=hold).exists():
        found = find_hold(user=caller.user_id, hold=hold)
        raise PaymentRequired(found.fare, found.currency)


def _kept(caller: Caller, key: RequestKey) -> Answer | None:
    return find(user_id=caller.user_id, key=key.key, fingerprint=key.fingerprint)


def _vanished() -> Answer:
    raise IdempotencyInFlight("The first request with this key has not ended yet.")


def _mine(caller: Caller) -> "QuerySet[Booking]":
    return Booking.objects.filter(owner=caller.user_id).exclude(status=Booking.Status.VOID)


@door("read")
def _list(request: HttpRequest, caller: Caller) -> HttpResponse:
    limit, offset = page(request)
    found = _filtered(_mine(caller), request).order_by("-id")
    rows = list(found.select_related(None)[offset : offset + limit])
    return paged(request, [booking_body(each) for each in view_bookings(rows)], found.count())


def _filtered(bookings: "QuerySet[Booking]", request: HttpRequest) -> "QuerySet[Booking]":
    """By status, and by service date `from` .. `to`, both included."""
    if status := request.GET.get("status"):
        if status not in {Booking.Status.CONFIRMED, Booking.Status.CANCELLED}:
            raise Invalid({"status": ["One of confirmed, cancelled."]})
        bookings = bookings.filter(status=status)
    for name, lookup in (("from", "gte"), ("to", "lte")):
        if found := day(request.GET, name):
            bookings = bookings.filter(**{f"departure__service_date__{lookup}": found})
    return bookings


@door("read")
def _show(request: HttpRequest, caller: Caller, pnr: str) -> HttpResponse:
    del request
    booking = _mine(caller).filter(pnr=pnr.upper()).first()
    if booking is None:
        raise NotFound("There is no such booking")
    return answer(booking_body(view_bookings([booking])[0]))


confirm = view(POST=_confirm)
bookings = view(GET=_list)
booking = view(GET=_show)
