"""What people want, what becomes of it, and how quickly they are answered."""

from typing import Final, Literal

from django.http import HttpRequest, HttpResponse
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from analytics.reports.ask import days_ago
from analytics.reports.demand import WEEKDAYS, Demand, demand
from analytics.reports.funnel import Funnel, funnel
from analytics.reports.latency import EndpointLatency, latency
from analytics.reports.top_routes import top_routes
from web.staff.door import board
from web.staff.rights import Right
from web.staff.showing import asked_number, or_none, show_board
from web.staff.tables import Column, Table
from web.visitor import Visitor

DAYS: Final = 30
DAYS_MOST: Final = 400
ROUTES: Final = 15
SLOWEST_DRAWN: Final = 15


@board(Right.SEE_FIGURES)
def demand_page(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Top routes, searches by hour and weekday, and the funnel from hold to booking."""
    del visitor
    days = asked_number(request, "days", default=DAYS, most=DAYS_MOST)
    since = days_ago(days)
    searched = or_none(lambda: demand(since=since))
    tables = [
        _routes("searches", days),
        _routes("bookings", days),
        _hours(searched),
        _week(searched),
        _funnel(or_none(lambda: funnel(since=since))),
    ]
    return show_board(
        request, "web/staff/report.html", at="demand", tables=tables, days=days, title=_("Demand")
    )


@board(Right.SEE_FIGURES)
def calls_page(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """How long each call takes, the slowest first."""
    del visitor
    days = asked_number(request, "days", default=1, most=DAYS_MOST)
    found = or_none(lambda: latency(since=days_ago(days)))
    return show_board(
        request,
        "web/staff/report.html",
        at="calls",
        tables=[_calls(found)],
        days=days,
        title=_("Calls"),
    )


def _routes(by: Literal["searches", "bookings"], days: int) -> Table:
    found = or_none(lambda: top_routes(by=by, since=days_ago(days), limit=ROUTES))
    searched = by == "searches"
    return Table(
        key=f"routes-by-{by}",
        title=_("Most searched routes") if searched else _("Most booked routes"),
        chart="lying",
        columns=[
            Column(_("Route")),
            Column(_("Searches") if searched else _("Bookings"), "number", drawn=True),
        ],
        rows=[(f"{each.source} → {each.destination}", each.count) for each in found or []],
        empty=_("Nothing yet."),
        is_away=found is None,
    )


def _hours(found: Demand | None) -> Table:
    return Table(
        key="searches-by-hour",
        title=_("Searches by hour"),
        chart="bar",
        columns=[Column(_("Hour")), Column(_("Searches"), "number", drawn=True)],
        rows=[(f"{hour:02}", count) for hour, count in enumerate(found.by_hour if found else [])],
        is_away=found is None,
    )


def _week(found: Demand | None) -> Table:
    """The heat map of a week; each cell is a share of the busiest hour."""
    grid = found.by_weekday_and_hour if found else {}
    most = max((max(hours) for hours in grid.values()), default=0) or 1
    return Table(
        key="searches-by-weekday-and-hour",
        title=_("Searches by weekday and hour"),
        lead=_("Per cent of the busiest hour of the week."),
        columns=[Column(_("Day")), *(Column(f"{hour:02}", "heat") for hour in range(24))],
        rows=[
            (str(WEEKDAYS_ABBR[at]), *(count / most for count in grid[day]))
            for at, day in enumerate(WEEKDAYS)
            if day in grid
        ],
        is_away=found is None,
    )


def _funnel(found: Funnel | None) -> Table:
    rows = (
        [
            (_("Held"), found.held, 1.0),
            (_("Extended"), found.extended, _share(found.extended, found)),
            (_("Confirmed"), found.confirmed, found.conversion),
            (_("Released"), found.released, _share(found.released, found)),
            (_("Expired"), found.expired, found.expiry),
            (_("Open"), found.open, _share(found.open, found)),
        ]
        if found and found.held
        else []
    )
    return Table(
        key="funnel",
        title=_("From hold to booking"),
        lead=_("What became of the holds that were taken in this time."),
        chart="lying",
        columns=[
            Column(_("Holds")),
            Column(_("Count"), "number", drawn=True),
            Column(_("Share"), "share"),
        ],
        rows=rows,
        empty=_("Nobody held a seat in this time."),
        is_away=found is None,
    )


def _share(count: int, found: Funnel) -> float:
    return count / found.held


def _calls(found: list[EndpointLatency] | None) -> Table:
    rows = sorted(found or [], key=lambda each: -each.p95_ms)
    return Table(
        key="calls",
        title=_("Slowest calls"),
        lead=_("Milliseconds inside the application. The chart has the fifteen slowest."),
        chart="lying",
        columns=[
            Column(_("Call"), "code"),
            Column("p50", "number"),
            Column("p95", "number", drawn=True),
            Column("p99", "number"),
            Column(_("Longest"), "number"),
            Column(_("Calls"), "number"),
            Column(_("Errors"), "number"),
        ],
        rows=[
            (
                f"{each.method} {each.endpoint}",
                each.p50_ms,
                each.p95_ms,
                each.p99_ms,
                each.max_ms,
                each.requests,
                each.server_errors,
            )
            for each in rows
        ],
        empty=_("Nothing was asked in this time."),
        is_away=found is None,
    )
