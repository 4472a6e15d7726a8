"""Change a booking: other seats, another class, another departure of the same way.

    GET   which seats, which departures there are on a day
    POST  holds the new seats and shows what they cost more or less; `sure` makes the change, or
          goes on to the payment of the difference; `how=map` goes to the seat map first

The second POST says the same as the first, with the `nonce` it was given, and so finds the hold
that the first one made. Until the change is made the traveller has the old seats.
"""

import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

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
from reservations.services.release_hold import release_hold
from trains.models import Station
from trains.sale import local_date
from web.booking.paying import SANDBOX
from web.booking.views import Journey, find_booking, journey_of, people_of, view_of
from web.hold_bar import hold_bar
from web.page import go, page, show
from web.search.asked import Asked
from web.search.places import Meant
from web.search.rows import Row, answer
from web.seats.coaches import see_seats
from web.seats.views import map_of, with_socket
from web.told import Told, tell
from web.visitor import Visitor

PREFERENCES: Final = ("together", "window", "any")
_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{16,43}")
_WHERE: Final = re.compile(r"(\d{1,18}):([A-Za-z0-9 _-]{1,8})")
SEATS_MOST: Final = 60
LAST_LOOKED_AT: Final = "change"
"""In the session: the hold of the change that was shown last."""


@dataclass(frozen=True)
class Said:
    """The form as it was sent, to be sent again with `nonce`."""

    where: str
    instead_of: tuple[str, ...]
    seats: str
    preference: str
    nonce: str

    @property
    def words(self) -> tuple[str, ...]:
        """What makes it another wish: who goes back and picks others asks anew."""
        return self.nonce, self.where, " ".join(self.instead_of), self.seats, self.preference


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
    if request.POST.get("how") == "map":
        return go(request, _map_address(found, said))
    try:
        draft = begin_change(
            owner=visitor.owner,
            pnr=found.pnr or "",
            wish=_wish(found, said),
            seed="\n".join(("page", str(visitor.id), found.pnr or "", *said.words)),
        )
        _forget_last(request, visitor, draft)
        if request.POST.get("sure") != "1":
            return _preview(request, visitor, found, said, draft)
        if is_due(draft):
            due = pay_change(draft, How(provider=SANDBOX)).due
            assert due is not None  # noqa: S101  # that is what `is_due` means
            return go(request, reverse("web:payment", args=[due.payment]))
        apply_change(draft)
    except SeatlockError as refused:
        return _refused(request, visitor, found, said, refused)
    messages.success(request, _("Your booking is changed."))
    return go(request, address)


def _forget_last(request: HttpRequest, visitor: Visitor, draft: Draft) -> None:
    """Let go of the seats of a change that was looked at and not made: who goes back and picks
    others does not keep both. What goes on to its payment is remembered no more.
    """
    hold = draft.new.member.hold
    last = request.session.pop(LAST_LOOKED_AT, None)
    if request.POST.get("sure") != "1":
        request.session[LAST_LOOKED_AT] = hold
    if last not in {None, hold}:
        with suppress(SeatlockError):  # it ran out, or was released by its button
            release_hold(user=visitor.id, sid=visitor.sid, hold=last)


def _refused(
    request: HttpRequest, visitor: Visitor, found: Booking, said: Said, refused: SeatlockError
) -> HttpResponse:
    """Where it was asked: on the map, with the seats that may be had instead, or on the form."""
    told, status = tell(refused), int(refused.problem.status)
    if request.POST.get("map") == "1" and _WHERE.fullmatch(said.where):
        return _show_map(request, visitor, found, said, refused)
    return _choose(request, visitor, found, told=told, status=status)


@page(signed_in=True)
def seats(request: HttpRequest, visitor: Visitor, pnr: str) -> HttpResponse:
    """The seats of one class of a departure, to pick as many of as are given up."""
    found = find_booking(visitor, pnr)
    if found.status != Booking.Status.CONFIRMED:
        return go(request, reverse("web:booking", args=[found.pnr]))
    return _show_map(request, visitor, found, _read(request.GET))


def _map_address(found: Booking, said: Said) -> str:
    query = urlencode([("where", said.where), *(("instead_of", s) for s in said.instead_of)])
    return f"{reverse('web:change-seats', args=[found.pnr])}?{query}"


def _show_map(
    request: HttpRequest,
    visitor: Visitor,
    found: Booking,
    said: Said,
    refused: SeatlockError | None = None,
) -> HttpResponse:
    """Raises `Invalid`, `NotFound`. After a refusal what is free of the picks stays picked, and
    others like them are picked beside it.
    """
    view = view_of(found)
    departure, travel_class = _where(said)
    is_elsewhere = departure != found.departure_id
    given_up = [seat for seat in view.seats if is_elsewhere or seat in said.instead_of]
    given_up = given_up or list(view.seats)
    seen = see_seats(departure, view.source["code"], view.destination["code"], visitor)
    asked = (request.POST if request.method == "POST" else request.GET).copy()
    asked["class"] = travel_class
    picked = [seat for seat in asked.getlist("seat") if seat not in seen.taken]
    others = refused.data.get("suggestions", ()) if refused else ()
    instead = [seat for seat in others if seat not in picked][: max(0, len(given_up) - len(picked))]
    asked.setlist("seat", [*picked, *instead])
    drawn = map_of(request, seen, asked)
    context = {
        **drawn,
        "told": tell(refused) if refused else None,
        "suggestions": instead,
        "said": said,
        "pnr": found.pnr,
        "given_up": given_up,
        "coach_query": _map_address(found, said).partition("?")[2],
    }
    status = int(refused.problem.status) if refused else 200
    return with_socket(show(request, "web/change_seats.html", context, status=status), drawn)


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
        instead_of=tuple(
            dict.fromkeys(each[:24] for each in posted.getlist("instead_of")[:SEATS_MOST])
        ),
        seats=(posted.get("seats") or ", ".join(posted.getlist("seat")[:SEATS_MOST]))[:400],
        preference=preference if preference in PREFERENCES else "together",
        nonce=nonce if _NONCE.fullmatch(nonce) else secrets.token_urlsafe(16),
    )


def _wish(found: Booking, said: Said) -> ChangeWish:
    """Raises `Invalid`."""
    departure, travel_class = _where(said)
    labels = tuple(dict.fromkeys(re.findall(r"[^\s,;]+", said.seats)))[:SEATS_MOST]
    is_elsewhere = departure != found.departure_id
    return ChangeWish(
        seats=labels,
        instead_of=() if is_elsewhere else said.instead_of,
        departure=departure if is_elsewhere else None,
        source=view_of(found).source["code"] if is_elsewhere else None,
        destination=view_of(found).destination["code"] if is_elsewhere else None,
        travel_class=None if labels else travel_class,
        preference=said.preference,  # type: ignore[arg-type]  # one of the three
    )


def _where(said: Said) -> tuple[int, str]:
    """Which departure, which class. Raises `Invalid`."""
    where = _WHERE.fullmatch(said.where)
    if where is None:
        raise Invalid({"where": [_("Choose where you want to sit.")]})
    return int(where[1]), where[2]


def _day(text: str, journey: Journey) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return journey.departs.date()
