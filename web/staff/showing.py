"""The frame of the board, and what its pages have in common."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.apps import apps
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from config import clock
from config.errors import Invalid, StoreUnavailable
from web.page import show
from web.staff.rights import Right
from web.staff.tables import Table, wanted_csv
from web.visitor import visitor_of

T = TypeVar("T")
AWAY = (RedisError, PyMongoError, DatabaseError, StoreUnavailable)


def places() -> list[tuple[str, str, Right]]:
    """The pages of the board: name of the address, name for people, what one needs to see it."""
    found = [
        ("today", _("Today"), Right.SEE_FIGURES),
        ("departures", _("Departures"), Right.SEE_FIGURES),
        ("holds", _("Live holds"), Right.SEE_PEOPLE),
        ("bookings", _("Bookings"), Right.SEE_PEOPLE),
    ]
    if apps.is_installed("reservations.waitlist"):
        found.append(("waitlists", _("Waitlists"), Right.SEE_PEOPLE))
    if apps.is_installed("reservations.payments"):
        found.append(("payments", _("Payments"), Right.SEE_PAYMENTS))
    figures = (("demand", _("Demand")), ("calls", _("Calls")), ("health", _("Health")))
    return [*found, *((*each, Right.SEE_FIGURES) for each in figures)]


def show_board(
    request: HttpRequest,
    template: str,
    *,
    at: str,
    tables: Sequence[Table] = (),
    **context: Any,
) -> HttpResponse:
    """A page of the board, or one of its tables as CSV if that was asked for."""
    file = wanted_csv(request, tables)
    if file is not None:
        return file
    may = rights_of(request)
    return show(
        request,
        template,
        {
            "may": may,
            "places": [(name, label, name == at) for name, label, right in places() if may[right]],
            "tables": tables,
            "query": urlencode(
                [(k, v) for k, v in request.GET.items() if k not in {"csv", "part"}]
            ),
            "zone_name": settings.ENV.time_zone,
            **context,
        },
    )


def rights_of(request: HttpRequest) -> dict[str, bool]:
    """Each right, and whether the visitor has it: what they may not do is not offered."""
    visitor = visitor_of(request)
    return {right.value: visitor is not None and visitor.may(right.permission) for right in Right}


def zone() -> ZoneInfo:
    """The staff's clock."""
    return ZoneInfo(settings.ENV.time_zone)


def today() -> date:
    return clock.now().astimezone(zone()).date()


def asked_day(request: HttpRequest, name: str = "day") -> date:
    """The day that was asked for, today unless told. Raises `Invalid`."""
    text = request.GET.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else today()
    except ValueError:
        raise Invalid({name: [_("Write the day as 2026-03-31.")]}) from None


def asked_number(request: HttpRequest, name: str, *, default: int, most: int) -> int:
    """A whole number from 1 to `most`. Raises `Invalid`."""
    text = request.GET.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most):
        raise Invalid({name: [_("A whole number from 1 to %(most)s.") % {"most": most}]})
    return int(text)


def asked_departure(request: HttpRequest) -> int | None:
    """The departure that was asked for, if one was. Raises `Invalid`."""
    text = request.GET.get("departure", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid({"departure": [_("A departure has a whole number.")]})
    return int(text)


def or_none(ask: Callable[[], T]) -> T | None:
    """What `ask` says, or None while the store it asks is away: the rest of the page comes."""
    try:
        return ask()
    except AWAY:
        return None


def booking_address(pnr: str) -> str:
    return reverse("web:staff:booking", args=[pnr])


def departure_address(departure: int) -> str:
    return reverse("web:staff:departure", args=[departure])
