"""Change a booking: other seats, another class, another departure of the same way.

    GET   which seats, which departures there are on a day
    POST  holds the new seats and shows what they cost more or less; `sure` makes the change, or
          goes on to the payment of the difference

The second POST says the same as the first, with the `nonce` it was given, and so finds the hold
that the first one made. Until the change is made the traveller has the old seats.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from config.errors import Invalid, SeatlockError
from reservations.models import Booking
from reservations.services.change_booking import (
    ChangeWish,
    Draft,
    How,
    apply_change,
    begin_change,
    is_due,
    pay_change,
)
from trains.models import Station
from trains.sale import local_date
from web.booking.paying import SANDBOX
from web.booking.views import Journey, find_booking, journey_of, people_of, view_of
from web.hold_bar import hold_bar
from web.page import go, page, show
from web.search.asked import Asked
from web.search.places import Meant
from web.search.rows import Row, answer
from web.told import Told, tell
from web.visitor import Visitor

PREFERENCES: Final = ("together", "window", "any")
_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{16,43}")
_WHERE: Final = re.compile(r"(\d{1,18}):([A-Za-z0-9 _-]{1,8})")
SEATS_MOST: Final = 60


@dataclass(frozen=True)
class Said:
    """The form as it was sent, to be sent again with `nonce`."""

    where: str
    instead_of: tuple[str, ...]
    seats: str
    preference: str
    nonce: str


@page(scope="reserve", signed_in=True, methods=("GET", "POST"))
def change(request: HttpRequest, visitor: Visitor, pnr: str) -> HttpResponse:
    """What can be had instead; what it costs; and the change."""
    found = find_booking(visitor, pnr)
    address = reverse("web:booking", args=[found.pnr])
    if found.status != Booking.Status.CONFIRMED:
        return go(request, address)
    if request.method != "POST":
        return _choose(request, visitor, found)
    said = _read(request.POST)
    try:
        draft = begin_change(
            owner=visitor.owner,
            pnr=found.pnr or "",
            wish=_wish(found, said),
            seed=f"page\n{visitor.id}\n{found.pnr}\n{said.nonce}",
        )
        if request.POST.get("sure") != "1":
            return _preview(request, visitor, found, said, draft)
        if is_due(draft):
            due = pay_change(draft, How(provider=SANDBOX)).due
            assert due is not None  # noqa: S101  # that is what `is_due` means
            return go(request, reverse("web:payment", args=[due.payment]))
        apply_change(draft)
    except SeatlockError as refused:
        status = int(refused.problem.status)
        return _choose(request, visitor, found, told=tell(refused), status=status)
    messages.success(request, _("Your booking is changed."))
    return go(request, address)


def _choose(
    request: HttpRequest,
    visitor: Visitor,
    found: Booking,
    *,
    told: Told | None = None,
    status: int = 200,
) -> HttpResponse:
    del visitor
    view = view_of(found)
    journey = journey_of(found, view)
    context: dict[str, Any] = {
        "journey": journey,
        "people": people_of(found, view),
        "day": _day(request.GET.get("day", ""), journey),
        "today": local_date(journey.departs, str(journey.departs.tzinfo)),
        "preferences": PREFERENCES,
        "told": told,
        "nonce": secrets.token_urlsafe(16),
    }
    context["rows"] = _runs(journey, context["day"])
    return show(request, "web/change.html", context, status=status)


def _runs(journey: Journey, day: date) -> list[Row]:
    """What runs the same way on that day; nothing where it is not on sale."""
    stations = Station.objects.in_bulk(
        [journey.view.source["code"], journey.view.destination["code"]], field_name="code"
    )
    asked = Asked(
        day=day,
        seats=len(journey.view.seats),
        meant_source=Meant(stations[journey.view.source["code"]]),
        meant_destination=Meant(stations[journey.view.destination["code"]]),
    )
    try:
        return answer(asked).rows
    except SeatlockError:
        return []


def _preview(
    request: HttpRequest, visitor: Visitor, found: Booking, said: Said, draft: Draft
) -> HttpResponse:
    view, hold = view_of(found), draft.new.member.hold
    context = {
        "journey": journey_of(found, view),
        "said": said,
        "new": draft.new,
        "train": draft.new.plan.train,
        "service_date": draft.new.plan.service_date,
        "seats": draft.new.member.labels,
        "less": -draft.new.difference if draft.new.difference < 0 else None,
        "pays": is_due(draft),
        "currency": found.currency,
        "hold": hold,
        # It is no hold to be booked beside the booking that it changes.
        "held": [each for each in hold_bar(visitor) if each.hold != hold],
    }
    return show(request, "web/change_sure.html", context)


def _read(posted: QueryDict) -> Said:
    nonce = posted.get("nonce", "")
    preference = posted.get("preference", "")
    return Said(
        where=posted.get("where", "")[:40],
        instead_of=tuple(each[:24] for each in posted.getlist("instead_of")[:SEATS_MOST]),
        seats=posted.get("seats", "")[:400],
        preference=preference if preference in PREFERENCES else "together",
        nonce=nonce if _NONCE.fullmatch(nonce) else secrets.token_urlsafe(16),
    )


def _wish(found: Booking, said: Said) -> ChangeWish:
    """Raises `Invalid`."""
    where = _WHERE.fullmatch(said.where)
    if where is None:
        raise Invalid({"where": [_("Choose where you want to sit.")]})
    departure = int(where[1])
    labels = tuple(dict.fromkeys(re.findall(r"[^\s,;]+", said.seats)))[:SEATS_MOST]
    is_elsewhere = departure != found.departure_id
    return ChangeWish(
        seats=labels,
        instead_of=() if is_elsewhere else said.instead_of,
        departure=departure if is_elsewhere else None,
        source=view_of(found).source["code"] if is_elsewhere else None,
        destination=view_of(found).destination["code"] if is_elsewhere else None,
        travel_class=None if labels else where[2],
        preference=said.preference,  # type: ignore[arg-type]  # one of the three
    )


def _day(text: str, journey: Journey) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return journey.departs.date()
