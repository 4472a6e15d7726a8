"""Landing page, results, and stations while somebody types."""

from datetime import date, timedelta

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config import clock
from config.errors import SeatlockError
from config.http.request_log import note
from trains.classes import CLASSES
from trains.sale import local_date
from web.page import page, show
from web.search.asked import SORTS, TIMES, Asked, read_asked
from web.search.places import label_of, suggest
from web.search.rows import Answer, answer
from web.told import tell
from web.visitor import Visitor


@page()
def landing(request: HttpRequest, visitor: Visitor | None) -> HttpResponse:
    del visitor
    tomorrow = _today() + timedelta(days=1)
    return show(request, "web/landing.html", {**_form(Asked(day=tomorrow)), "errors": {}})


@page()
def results(request: HttpRequest, visitor: Visitor | None) -> HttpResponse:
    del visitor
    asked = read_asked(request.GET.dict())
    found, told = Answer([], 0, stale=False), None
    if asked.stations is not None:
        try:
            found = answer(asked)
            if asked.is_first:
                source, destination = asked.stations
                note(request, source=source.code, destination=destination.code)
        except SeatlockError as refused:
            told = tell(refused)
    context = {**_form(asked), **_around(asked), "answer": found, "told": told}
    return show(request, "web/results.html", context, status=400 if asked.errors else 200)


@page()
def stations(request: HttpRequest, visitor: Visitor | None) -> HttpResponse:
    """Options for the list of a station field; htmx asks while somebody types."""
    del visitor
    typed = request.GET.get("from") or request.GET.get("to") or ""
    options = [label_of(station) for station in suggest(typed)] if typed.strip() else []
    return render(request, "web/parts/stations.html", {"options": options})


def _form(asked: Asked) -> dict[str, object]:
    """What the search form is drawn from."""
    today = _today()
    return {
        "asked": asked,
        "errors": asked.errors or {},
        "classes": list(CLASSES),
        "parties": range(1, settings.ENV.hold_max_seats + 1),
        "first_day": today,
        "last_day": today + timedelta(days=settings.ENV.sale_window_days),
    }


def _around(asked: Asked) -> dict[str, object]:
    """Links to other days, orders and filters of the same question."""
    day = asked.day or _today()
    return {
        "days": [_other_day(asked, day + timedelta(days=step)) for step in range(-2, 4)],
        "sorts": SORTS,
        "times": TIMES,
        "told_stations": _told_stations(asked),
        "waits": apps.is_installed("reservations.waitlist"),
    }


def _other_day(asked: Asked, day: date) -> dict[str, object]:
    is_over = day < _today()
    return {"day": day, "query": "" if is_over else asked.query(date=day.isoformat())}


def _told_stations(asked: Asked) -> list[dict[str, object]]:
    """Where a name meant more than one station: the others, to choose instead."""
    return [
        {
            "chosen": meant.station,
            "others": [(s, asked.query(**{name: label_of(s)})) for s in meant.others],
        }
        for name, meant in (("from", asked.meant_source), ("to", asked.meant_destination))
        if meant.station is not None and meant.others
    ]


def _today() -> date:
    return local_date(clock.now(), settings.TIME_ZONE)
