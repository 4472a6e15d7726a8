"""Any booking: found by PNR, name, train or day; one with every fact of its story in order."""

import json
from typing import Any, Final

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from analytics.operations import audit
from analytics.operations.bookings import Asked, StaffBooking, find_bookings
from config.errors import Invalid, NotFound
from reservations.bookings.views import BookingView
from users.models import User
from web.page import go
from web.staff.door import board
from web.staff.rights import Right
from web.staff.showing import (
    asked_day,
    asked_number,
    booking_address,
    or_none,
    show_board,
    zone,
)
from web.staff.tables import Column, Link, Table
from web.visitor import Visitor

PER_PAGE: Final = 50
PAGES_MOST: Final = 10_000
FACTS_MOST: Final = 500
NAME_LEAST: Final = 2


@board(Right.SEE_PEOPLE)
def bookings(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """The latest, or those that are asked for; a PNR leads straight to its booking."""
    del visitor
    asked = {name: request.GET.get(name, "").strip() for name in ("who", "train", "day", "status")}
    number = asked_number(request, "page", default=1, most=PAGES_MOST)
    pnr = asked["who"].upper()
    if pnr and find_bookings(asked=Asked(pnr=pnr), limit=1, offset=0)[0]:
        return go(request, booking_address(pnr))
    start = (number - 1) * PER_PAGE
    count, found = _find(request, asked, start)
    return show_board(
        request,
        "web/staff/bookings.html",
        at="bookings",
        tables=[_table(found)],
        asked=asked,
        count=count,
        newer=number - 1 if number > 1 else None,
        older=number + 1 if start + PER_PAGE < count else None,
    )


def _find(
    request: HttpRequest, asked: dict[str, str], start: int
) -> tuple[int, list[StaffBooking]]:
    if 0 < len(asked["who"]) < NAME_LEAST:
        raise Invalid({"who": [_("At least two letters.")]})
    wanted = Asked(
        name=asked["who"] or None,
        train=asked["train"] or None,
        service_date=asked_day(request) if asked["day"] else None,
        status=asked["status"] or None,
    )
    try:
        return find_bookings(asked=wanted, limit=PER_PAGE, offset=start)
    except OperationalError:
        if wanted.name is None:
            raise
        raise Invalid({"who": [_("That takes too long. Name a train or a day as well.")]}) from None


@board(Right.SEE_PEOPLE)
def booking(request: HttpRequest, visitor: Visitor, pnr: str) -> HttpResponse:
    """One booking and its trail, which comes from MongoDB a second or two late."""
    del visitor
    count, found = find_bookings(asked=Asked(pnr=pnr), limit=1, offset=0)
    if not count:
        raise NotFound(_("There is no such booking."))
    told = or_none(lambda: audit.trail(asked=audit.Asked(pnr=pnr), limit=FACTS_MOST, offset=0))
    facts = told[1] if told else []
    owner = User.objects.filter(pk=found[0].user or 0).first()
    return show_board(
        request,
        "web/staff/booking.html",
        at="bookings",
        tables=[*_given_back(found[0].booking), _trail(facts, is_away=told is None)],
        each=found[0].booking,
        people=list(zip(found[0].booking.seats, found[0].booking.passengers, strict=True)),
        owner=owner,
    )


def _table(found: list[StaffBooking]) -> Table:
    owners = {each.user for each in found if each.user is not None}
    names = dict(User.objects.filter(pk__in=owners).values_list("pk", "username"))
    return Table(
        key="bookings",
        title=_("Bookings"),
        columns=[
            Column(_("PNR"), "code"),
            Column(_("State")),
            Column(_("User")),
            Column(_("Train")),
            Column(_("Day")),
            Column(_("Stretch")),
            Column(_("Seats")),
            Column(_("Fare"), "money"),
            Column(_("Booked at"), "moment"),
        ],
        rows=[_row(each, names) for each in found],
        empty=_("No booking is like that."),
        zone=zone(),
    )


def _row(found: StaffBooking, names: dict[int, str]) -> tuple[Any, ...]:
    each = found.booking
    return (
        Link(each.pnr, booking_address(each.pnr)),
        each.status,
        names.get(found.user or 0, ""),
        each.train["number"],
        each.service_date,
        f"{each.source['code']} → {each.destination['code']}",
        ", ".join(each.seats),
        each.fare,
        each.created_at,
    )


def _given_back(view: BookingView) -> list[Table]:
    """What was given back of it, if anything was."""
    if not view.cancellations:
        return []
    columns = [
        Column(_("When"), "moment"),
        Column(_("Seats")),
        Column(_("Fare"), "money"),
        Column(_("Refund"), "money"),
        Column(_("Refund's state"), "code"),
        Column(_("Rule"), "code"),
        Column(_("Done by")),
    ]
    rows = [
        (
            each.at,
            ", ".join(each.seats),
            each.fare,
            each.refund.amount,
            f"{each.refund.status} {each.refund.reference}".strip(),
            each.rule,
            each.by,
        )
        for each in view.cancellations
    ]
    return [Table(key="given-back", title=_("Given back"), columns=columns, rows=rows, zone=zone())]


def _trail(facts: list[dict[str, Any]], *, is_away: bool) -> Table:
    ids = {fact[name] for fact in facts for name in ("user", "actor") if fact[name] is not None}
    names = dict(User.objects.filter(pk__in=ids).values_list("pk", "username"))
    return Table(
        key="trail",
        title=_("Every fact, in order"),
        columns=[
            Column(_("When"), "moment"),
            Column(_("What"), "code"),
            Column(_("Whose")),
            Column(_("Done by")),
            Column(_("Reason")),
            Column(_("Details"), "code"),
        ],
        rows=[
            (
                fact["at"],
                fact["kind"],
                names.get(fact["user"], ""),
                names.get(fact["actor"], ""),
                fact["body"].get("reason", ""),
                json.dumps(fact["body"], default=str, ensure_ascii=False, sort_keys=True),
            )
            for fact in facts
        ],
        empty=_("Nothing has reached the trail yet; it is a second or two late."),
        is_away=is_away,
        zone=zone(),
    )
