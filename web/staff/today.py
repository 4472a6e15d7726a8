"""Today at a glance, live: the page asks again every few seconds for the part that moves."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analytics.operations.dashboard import Dashboard, dashboard
from analytics.reports.minutes import Minute, minutes
from web.staff.door import board
from web.staff.rights import Right
from web.staff.showing import or_none, show_board, zone
from web.staff.tables import Column, Table
from web.visitor import Visitor

MINUTES: Final = 60


@board(Right.SEE_FIGURES)
def today(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """The whole page; with `?part=1` only what moves."""
    del visitor
    now = dashboard()
    found = or_none(lambda: minutes(count=MINUTES, currency=settings.ENV.currency))
    tables = _tables(found)
    context: dict[str, Any] = {"numbers": _numbers(now), "now": now}
    if request.GET.get("part"):
        return render(request, "web/staff/parts/today.html", {**context, "tables": tables})
    return show_board(request, "web/staff/today.html", at="today", tables=tables, **context)


def _numbers(now: Dashboard) -> list[tuple[str, Any, bool]]:
    """Name, value (None: its store is away), and whether it wants a look."""
    holds, bookings, streams, sink = now.holds, now.bookings, now.streams, now.sink
    revenue = bookings and " + ".join(f"{m.amount} {m.currency}" for m in bookings.revenue_today)
    return [
        (_("Live holds"), holds and holds.live, False),
        (_("Confirming"), holds and holds.confirming, False),
        (_("Bookings today"), bookings and bookings.today, False),
        (_("Cancelled today"), bookings and bookings.cancelled_today, False),
        (_("Revenue today"), revenue or (bookings and "0"), False),
        (_("Facts not shipped yet"), now.outbox_pending, (now.outbox_pending or 0) > 1000),
        (_("Dead letters"), sink and sink.dead_letters, bool(sink and sink.dead_letters)),
        (_("Odd members"), streams and streams.odd_members, bool(streams and streams.odd_members)),
    ]


def _tables(found: list[Minute] | None) -> list[Table]:
    rows, currency = found or [], settings.ENV.currency

    def at(minute: Minute) -> str:
        return date_format(minute.at.astimezone(zone()), "H:i", use_l10n=False)

    happened = Table(
        key="minutes",
        title=_("Minute by minute"),
        lead=_("The last hour. Holds and errors are a second or two late, bookings are not."),
        chart="line",
        columns=[
            Column(_("Minute")),
            Column(_("Locks"), "number", drawn=True),
            Column(_("Confirms"), "number", drawn=True),
            Column(_("Expiries"), "number", drawn=True),
            Column(_("Releases"), "number"),
            Column(_("Cancellations"), "number"),
            Column(_("Errors"), "number", drawn=True),
        ],
        rows=[
            (at(m), m.locks, m.confirms, m.expiries, m.releases, m.cancellations, m.errors)
            for m in rows
        ],
        is_away=found is None,
    )
    money = Table(
        key="revenue",
        title=_("Revenue by minute"),
        chart="bar",
        columns=[
            Column(_("Minute")),
            Column(_("Revenue, %(currency)s") % {"currency": currency}, "money", drawn=True),
            Column(_("Confirms"), "number"),
        ],
        rows=[(at(m), m.revenue, m.confirms) for m in rows],
        is_away=found is None,
    )
    return [happened, money]
