"""The waitlist for travellers: join it where a class is full, see the place, take an offer.

The app may be left out (APPS_LEFT_OUT), then these pages are not there.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from config import clock
from config.errors import SeatlockError
from reservations.availability.plans import plan_of
from reservations.errors import IllegalState, LimitReached
from reservations.waitlist.models import Entry
from reservations.waitlist.services.join_waitlist import WaitWish, join_waitlist
from reservations.waitlist.services.leave_waitlist import leave_waitlist
from reservations.waitlist.services.show_entry import EntryView, show_entry, view_entries
from web.page import go, page, safe_next, show
from web.told import tell
from web.visitor import Visitor
from web.waitlist import prepaying
from web.waitlist.asking import ask

ENTRIES_MAX = 50


@dataclass(frozen=True)
class Waits:
    """An entry with its journey; times as the boarding station's clock shows them."""

    view: EntryView
    train: str
    source: str
    destination: str
    departs: datetime
    closes: datetime
    offer_ends: datetime | None

    @property
    def is_open(self) -> bool:
        return self.view.status in {"waiting", "offered"}

    @property
    def seconds_left(self) -> int:
        """Of the offer."""
        offer = self.view.offer
        return max(0, int((offer.expires_at - clock.now()).total_seconds())) if offer else 0


def _waits(view: EntryView) -> Waits:
    plan = plan_of(view.departure)
    stretch = plan.stretch(view.source, view.destination)
    boards, alights = plan.train.stops[stretch.from_stop], plan.train.stops[stretch.to_stop]
    zone = ZoneInfo(boards.timezone)
    return Waits(
        view=view,
        train=f"{plan.train.number} {plan.train.name}",
        source=boards.name,
        destination=alights.name,
        departs=plan.boards_at(stretch).astimezone(zone),
        closes=view.closes_at.astimezone(zone),
        offer_ends=view.offer.expires_at.astimezone(zone) if view.offer else None,
    )


@page(scope="reserve", signed_in=True, methods=("GET", "POST"))
def join(request: HttpRequest, visitor: Visitor, departure: int) -> HttpResponse:
    """How many wait before one joins, and the button that joins."""
    asked = ask(departure, request.POST if request.method == "POST" else request.GET)
    if request.method != "POST":
        return show(request, "web/waitlist_join.html", {"asked": asked})
    wish = WaitWish(
        departure=departure,
        source=asked.source.code,
        destination=asked.destination.code,
        travel_class=asked.travel_class,
        count=asked.seats,
    )
    try:
        entry = join_waitlist(owner=visitor.owner, wish=wish)
    except IllegalState:
        messages.success(request, _("Seats are free after all: no need to wait for them."))
        return go(request, asked.seats_address)
    except LimitReached as refused:
        limit = refused.data.get("limit", "")
        messages.error(
            request, _("More than %(limit)s places in one queue are not given.") % {"limit": limit}
        )
        return go(request, reverse("web:waitlist"))
    except SeatlockError as refused:
        context = {"asked": asked, "told": tell(refused)}
        status = int(refused.problem.status)
        return show(request, "web/waitlist_join.html", context, status=status)
    messages.success(request, _("You are on the waitlist. We write to you when there are seats."))
    return go(request, reverse("web:entry", args=[entry.key]))


@page(signed_in=True)
def entries(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Mine: those that wait first, then what became of the others, the latest first."""
    mine = Entry.objects.filter(owner=visitor.id).order_by("-id")
    shown = mine.filter(pk__in=list(mine.values_list("pk", flat=True)[:ENTRIES_MAX]))
    found = [_waits(view) for view in view_entries(shown)]
    found.sort(key=lambda each: not each.is_open)
    return show(request, "web/waitlist.html", {"entries": found})


@page(signed_in=True)
def entry(request: HttpRequest, visitor: Visitor, entry: str) -> HttpResponse:
    """One entry: its place, its offer, or its end. htmx asks again while it waits."""
    found = _waits(show_entry(user=visitor.id, key=entry))
    context = {"entry": found, "price": prepaying.price(found.view)}
    if request.headers.get("HX-Request"):
        return render(
            request, "web/parts/entry.html", {**context, "CURRENCY": settings.ENV.currency}
        )
    return show(request, "web/entry.html", context)


@page(scope="confirm", signed_in=True, methods=("POST",))
def prepay(request: HttpRequest, visitor: Visitor, entry: str) -> HttpResponse:
    """Begin to pay in advance, where that is offered: the payment's page goes on from there."""
    try:
        payment = prepaying.begin(visitor, entry)
    except IllegalState as refused:
        messages.error(request, tell(refused).text)
        return go(request, reverse("web:entry", args=[entry]))
    return go(request, reverse("web:payment", args=[payment]))


@page(scope="reserve", signed_in=True, methods=("POST",))
def leave(request: HttpRequest, visitor: Visitor, entry: str) -> HttpResponse:
    """Give up the place, and with it the seats that were offered."""
    try:
        leave_waitlist(user=visitor.id, key=entry)
        messages.success(request, _("You have left the waitlist."))
    except IllegalState as refused:
        messages.error(request, tell(refused).text)
    return go(request, safe_next(request, reverse("web:waitlist")))
