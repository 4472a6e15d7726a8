"""Departures of a day with their occupancy by leg, and one of them coach by coach."""

from itertools import pairwise
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from config import clock
from config.errors import NotFound
from reservations.availability.plans import Plan, read_again
from reservations.services.cancel_departure import Progress, progress_of
from trains.models import Departure
from web.staff.door import board
from web.staff.occupancy import Filled, fill
from web.staff.rights import Right
from web.staff.showing import asked_day, asked_number, departure_address, show_board
from web.staff.tables import Column, Link, Table
from web.visitor import Visitor

PER_PAGE: Final = 50
PAGES_MOST: Final = 10_000


@board(Right.SEE_FIGURES)
def departures(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """A row a departure, with a strip of its legs."""
    del visitor
    day = asked_day(request)
    train = request.GET.get("train", "").strip()
    number = asked_number(request, "page", default=1, most=PAGES_MOST)
    found = Departure.objects.filter(service_date=day).order_by("starts_at", "train__number")
    if train:
        found = found.filter(train__number=train)
    count = found.count()
    start = (number - 1) * PER_PAGE
    ids = list(found.values_list("pk", flat=True)[start : start + PER_PAGE])
    plans = read_again(ids)
    filled = fill({each: plans[each] for each in ids if each in plans})
    return show_board(
        request,
        "web/staff/departures.html",
        at="departures",
        tables=[_list(filled)],
        strips=[(each, departure_address(each.plan.departure), strip(each)) for each in filled],
        day=day,
        train=train,
        count=count,
        newer=number - 1 if number > 1 else None,
        older=number + 1 if start + PER_PAGE < count else None,
    )


@board(Right.SEE_FIGURES)
def departure(request: HttpRequest, visitor: Visitor, departure: int) -> HttpResponse:
    """One departure: by leg, and by coach and leg."""
    del visitor
    plan = read_again([departure]).get(departure)
    if plan is None:
        raise NotFound(_("There is no such departure."))
    (filled,) = fill({departure: plan})
    return show_board(
        request,
        "web/staff/departure.html",
        at="departures",
        tables=[_legs(filled), _coaches(filled)],
        plan=plan,
        filled=filled,
        cancelled=_progress(departure),
        can_cancel=plan.ends_at > clock.now(),
    )


def _progress(departure: int) -> Progress | None:
    """How far its cancellation is, if it was cancelled."""
    try:
        return progress_of(departure)
    except NotFound:
        return None


def leg_names(plan: Plan) -> list[str]:
    stops = plan.train.stops
    return [f"{a.code} → {b.code}" for a, b in pairwise(stops)]


def strip(filled: Filled) -> list[tuple[str, int, int]]:
    """For each leg: its name, per cent taken, and the step of its colour."""
    names = leg_names(filled.plan)
    shares = [share or 0.0 for share in filled.shares]
    return [
        (name, round(100 * share), round(10 * share))
        for name, share in zip(names, shares, strict=True)
    ]


def _list(filled: list[Filled]) -> Table:
    return Table(
        key="departures",
        title=_("Departures"),
        columns=[
            Column(_("Departure"), "code"),
            Column(_("Train")),
            Column(_("Seats"), "number"),
            Column(_("Blocked"), "number"),
            Column(_("Sold seat-legs, %"), "heat"),
            Column(_("Held seat-legs"), "share"),
            Column(_("Fullest leg, %"), "heat"),
        ],
        rows=[
            (
                Link(str(each.plan.departure), departure_address(each.plan.departure)),
                f"{each.plan.train.number} {each.plan.train.name}",
                each.seats,
                each.blocked,
                each.share,
                each.held_share,
                max((share for share in each.shares if share is not None), default=None),
            )
            for each in filled
        ],
        empty=_("Nothing runs on this day."),
    )


def _legs(filled: Filled) -> Table:
    rows = zip(
        leg_names(filled.plan),
        filled.sold.tolist(),
        filled.held.tolist(),
        filled.shares,
        strict=True,
    )
    return Table(
        key="legs",
        title=_("By leg"),
        chart="bar",
        columns=[
            Column(_("Leg")),
            Column(_("Sold"), "number", drawn=True),
            Column(_("Held"), "number", drawn=True),
            Column(_("Free"), "number"),
            Column(_("Taken, %"), "heat"),
        ],
        rows=[
            (name, sold, held, filled.seats - sold - held, share)
            for name, sold, held, share in rows
        ],
    )


def _coaches(filled: Filled) -> Table:
    """The heat map: a row a coach, a column a leg."""
    train = filled.plan.train
    return Table(
        key="coaches",
        title=_("By coach and leg"),
        lead=_("Per cent of each coach's seats that are sold or held."),
        columns=[
            Column(_("Coach")),
            Column(_("Class")),
            Column(_("Seats"), "number"),
            *(Column(name, "heat") for name in leg_names(filled.plan)),
        ],
        rows=[
            (
                coach.label,
                coach.travel_class,
                seats,
                *(taken / seats if seats else None for taken in by_leg),
            )
            for coach, seats, by_leg in zip(
                train.coaches,
                filled.seats_by_coach.tolist(),
                filled.taken_by_coach.tolist(),
                strict=True,
            )
        ],
    )
