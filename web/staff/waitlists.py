"""Who waits for which seats, at which place, and what was offered. Read, never moved: the queue
serves itself.
"""

from collections import Counter
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from config.errors import Invalid
from reservations.availability.plans import Plan, plans_of
from reservations.waitlist.models import Entry
from reservations.waitlist.queue import positions_of
from reservations.waitlist.states import IN_QUEUE, EntryState
from web.staff.door import board
from web.staff.rights import Right
from web.staff.showing import (
    asked_departure,
    asked_number,
    booking_address,
    departure_address,
    show_board,
    zone,
)
from web.staff.tables import Column, Link, Table
from web.visitor import Visitor

PER_PAGE: Final = 50
PAGES_MOST: Final = 10_000
COUNTED_MOST: Final = 5_000
OPEN: Final = "open"


@board(Right.SEE_PEOPLE)
def waitlists(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Those in a queue, first come first; `?state=`, `?departure=` and `?user=` say otherwise."""
    del visitor
    state = request.GET.get("state", OPEN)
    departure, user = asked_departure(request), request.GET.get("user", "").strip()
    if state not in {OPEN, "", *EntryState}:
        raise Invalid({"state": [_("There is no such state.")]})
    number = asked_number(request, "page", default=1, most=PAGES_MOST)
    found = Entry.objects.order_by("id" if state == OPEN else "-id")
    if state:
        found = found.filter(state__in=IN_QUEUE if state == OPEN else [state])
    if departure is not None:
        found = found.filter(departure=departure)
    if user:
        found = found.filter(owner__username__iexact=user)
    count = found.count()
    start = (number - 1) * PER_PAGE
    entries = list(found.select_related("owner", "booking")[start : start + PER_PAGE])
    return show_board(
        request,
        "web/staff/waitlists.html",
        at="waitlists",
        tables=[_queues(departure), _entries(entries)],
        states=list(EntryState),
        state=state,
        departure=departure or "",
        user=user,
        count=count,
        newer=number - 1 if number > 1 else None,
        older=number + 1 if start + PER_PAGE < count else None,
    )


def _queues(departure: int | None) -> Table:
    """A row a departure and class: how many parties, and how many seats they want."""
    rows = Entry.objects.filter(state__in=IN_QUEUE).order_by("id")
    if departure is not None:
        rows = rows.filter(departure=departure)
    parties: Counter[tuple[int, str]] = Counter()
    seats: Counter[tuple[int, str]] = Counter()
    for number, travel_class, wanted in rows.values_list("departure", "travel_class", "count")[
        :COUNTED_MOST
    ]:
        parties[number, travel_class] += 1
        seats[number, travel_class] += wanted
    plans = plans_of({number for number, _class in parties})
    return Table(
        key="queues",
        title=_("Queues"),
        lead=_("The longest first."),
        columns=[
            Column(_("Departure"), "code"),
            Column(_("Train")),
            Column(_("Class")),
            Column(_("Parties"), "number"),
            Column(_("Seats wanted"), "number"),
        ],
        rows=[
            (
                Link(str(number), departure_address(number)),
                _train(plans[number]),
                travel_class,
                waiting,
                seats[number, travel_class],
            )
            for (number, travel_class), waiting in parties.most_common()
            if number in plans
        ],
        empty=_("Nobody waits."),
    )


def _train(plan: Plan) -> str:
    return f"{plan.train.number} {plan.service_date}"


def _entries(entries: list[Entry]) -> Table:
    plans = plans_of({entry.departure_id for entry in entries})
    places = positions_of(entries)
    return Table(
        key="entries",
        title=_("Entries"),
        columns=[
            Column(_("Entry"), "code"),
            Column(_("State")),
            Column(_("Place"), "number"),
            Column(_("User")),
            Column(_("Departure"), "code"),
            Column(_("Train")),
            Column(_("Stretch")),
            Column(_("Class")),
            Column(_("Seats"), "number"),
            Column(_("Joined at"), "moment"),
            Column(_("Closes at"), "moment"),
            Column(_("Offer ends at"), "moment"),
            Column(_("PNR"), "code"),
        ],
        rows=[
            (
                str(entry.key),
                entry.state,
                places.get(entry.pk),
                entry.owner.username,
                Link(str(entry.departure_id), departure_address(entry.departure_id)),
                _train(plans[entry.departure_id]),
                _stretch(plans[entry.departure_id], entry),
                entry.travel_class,
                entry.count,
                entry.joined_at,
                entry.closes_at,
                entry.offer_expires_at if entry.state == EntryState.OFFERED else None,
                _pnr(entry),
            )
            for entry in entries
        ],
        empty=_("Nobody waits."),
        zone=zone(),
    )


def _stretch(plan: Plan, entry: Entry) -> str:
    stops = plan.train.stops
    return f"{stops[entry.from_stop].code} → {stops[entry.to_stop].code}"


def _pnr(entry: Entry) -> Link | None:
    pnr = entry.booking.pnr if entry.booking else None
    return Link(pnr, booking_address(pnr)) if pnr else None
