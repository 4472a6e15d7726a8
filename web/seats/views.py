"""The seats of a departure: look, pick, or let us pick; the hold that comes of it."""

from dataclasses import asdict
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from config import clock
from config.errors import SeatlockError
from config.http.request_log import note
from reservations.api.departures.views import socket_url
from reservations.errors import NotEnoughSeats, SeatUnavailable
from reservations.services.choose_seats import SeatWish
from reservations.services.hold_seats import hold_seats
from trains.sale import SaleState, moment_at
from web.page import ask_to_sign_in, go, page, show
from web.search.asked import read_party
from web.seats import coaches as seen_as
from web.seats.coaches import ClassSummary, DrawnCoach, SeatsSeen, see_seats
from web.told import Told, tell
from web.visitor import Visitor

WISH: Final = "wish"
"""In the session: seats somebody picked before signing in."""
PREFERENCES: Final = ("together", "window", "any")


@page()
def seats(request: HttpRequest, visitor: Visitor | None, departure: int) -> HttpResponse:
    return _show_seats(request, visitor, departure, request.GET)


def _show_seats(  # noqa: PLR0913  # a page and how it came to be
    request: HttpRequest,
    visitor: Visitor | None,
    departure: int,
    asked: QueryDict,
    *,
    told: Told | None = None,
    suggestions: tuple[str, ...] = (),
    status: int = 200,
) -> HttpResponse:
    seen = see_seats(departure, asked.get("from"), asked.get("to"), visitor)
    drawn = map_of(request, seen, asked, suggestions)
    party = read_party(asked.get("seats", ""))
    context = {
        **drawn,
        "told": told,
        "party": party,
        "full": _to_wait_for(drawn["classes"], party),
        "parties": range(1, settings.ENV.hold_max_seats + 1),
        "seats_max": settings.ENV.hold_max_seats,
        "preferences": PREFERENCES,
        "coach_query": urlencode(
            {
                "from": drawn["boards"].code,
                "to": drawn["alights"].code,
                "seats": party,
                **({"class": drawn["travel_class"]} if drawn["travel_class"] else {}),
            }
        ),
    }
    return with_socket(show(request, "web/seats.html", context, status=status), drawn)


def map_of(
    request: HttpRequest, seen: SeatsSeen, asked: QueryDict, suggestions: tuple[str, ...] = ()
) -> dict[str, Any]:
    """What the picture of a coach and its list are drawn from; `asked` may name a `class`, a
    `coach` and each `seat` that was picked.
    """
    in_view = _in_view(seen, asked, suggestions)
    return {
        **_journey(seen),
        **in_view,
        "suggestions": suggestions,
        **_ticked(seen, in_view["coach"], asked.getlist("seat"), suggestions),
        "live_url": socket_url(request, seen.plan.departure),
    }


def with_socket(answer: HttpResponse, drawn: dict[str, Any]) -> HttpResponse:
    """The page may open the socket that tells of its seats."""
    socket = "/".join(drawn["live_url"].split("/")[:3])
    answer._csp_update = {"connect-src": [socket]}  # type: ignore[attr-defined]  # noqa: SLF001
    return answer


def _journey(seen: SeatsSeen) -> dict[str, Any]:
    """What runs when, between the two stations."""
    plan, stretch = seen.plan, seen.stretch
    boards, alights = plan.train.stops[stretch.from_stop], plan.train.stops[stretch.to_stop]
    departs, arrives = plan.boards_at(stretch), plan.alights_at(stretch)
    return {
        "seen": seen,
        "plan": plan,
        "boards": boards,
        "alights": alights,
        "departs": departs.astimezone(ZoneInfo(boards.timezone)),
        "arrives": arrives.astimezone(ZoneInfo(alights.timezone)),
        "minutes": int((arrives - departs).total_seconds()) // 60,
        "is_on_sale": plan.sale_state(stretch, clock.now()) is SaleState.OPEN,
        "stops": _stops(seen),
    }


def _stops(seen: SeatsSeen) -> list[dict[str, Any]]:
    """The calls of the train on the stretch, by each station's clock."""
    plan, stretch = seen.plan, seen.stretch
    return [
        {
            "name": stop.name,
            "at": moment_at(
                plan.starts_at,
                stop.arrival_seconds if at == stretch.to_stop else stop.departure_seconds,
            ).astimezone(ZoneInfo(stop.timezone)),
        }
        for at, stop in enumerate(plan.train.stops)
        if stretch.from_stop <= at <= stretch.to_stop
    ]


def _in_view(seen: SeatsSeen, asked: QueryDict, suggestions: tuple[str, ...]) -> dict[str, Any]:
    """The strip of coaches, the class filter, and the coach that is drawn."""
    every = seen_as.summaries(seen)
    travel_class = asked.get("class", "")
    shown = [each for each in every if each.travel_class == travel_class] or every
    wanted = asked.get("coach") or (suggestions or asked.getlist("seat") or [""])[0].split("-")[0]
    chosen = next((each for each in every if each.label == wanted), None)
    if chosen is None or (chosen not in shown and not suggestions):
        chosen = next((each for each in shown if each.free), shown[0]) if shown else None
    return {
        "coaches": shown,
        "classes": seen_as.classes(seen, every),
        "travel_class": travel_class if shown is not every else "",
        "coach": seen_as.drawn_coach(seen, chosen.label) if chosen else None,
        "taken": msgspec.json.encode(seen.taken).decode(),
    }


def _to_wait_for(classes: list[ClassSummary], party: int) -> list[ClassSummary]:
    """The classes without room for the party, where there is a waitlist."""
    if not apps.is_installed("reservations.waitlist"):
        return []
    return [each for each in classes if each.fare is not None and each.free < party]


def _ticked(
    seen: SeatsSeen, drawn: DrawnCoach | None, picked: list[str], suggestions: tuple[str, ...]
) -> dict[str, Any]:
    """What somebody picked and can still have: in the coach that is drawn, and, with what each
    seat costs, in the others.
    """
    in_view = {each.seat.seat for each in drawn.seats} if drawn else set()
    class_of = {each.seat: each.travel_class for each in seen.body.seats if each.status == "free"}
    return {
        "ticked": {seat for seat in (*picked, *suggestions) if seat in class_of},
        "picked_elsewhere": [
            (seat, seen_as.fare_of(seen, class_of[seat]))
            for seat in dict.fromkeys(picked)
            if seat in class_of and seat not in in_view
        ],
    }


@page()
def states(request: HttpRequest, visitor: Visitor | None, departure: int) -> HttpResponse:
    """What is not free now, for a page that was drawn a moment ago; htmx asks again and again
    where no socket tells.
    """
    seen = see_seats(departure, request.GET.get("from"), request.GET.get("to"), visitor)
    context = {**_journey(seen), "taken": msgspec.json.encode(seen.taken).decode()}
    return render(request, "web/parts/states.html", context)


@page(scope="reserve", methods=("POST",))
def hold(request: HttpRequest, visitor: Visitor | None, departure: int) -> HttpResponse:
    """Take the seats picked, or the best for a party. Strangers sign in first; what they wished
    for is kept for them.
    """
    wish = _read_wish(departure, request.POST)
    if visitor is None:
        request.session[WISH] = {**asdict(wish), "passengers": ()}
        return ask_to_sign_in(request)
    try:
        return take(request, visitor, wish)
    except (SeatUnavailable, NotEnoughSeats) as refused:
        suggestions = tuple(refused.data.get("suggestions", ()))[: max(1, len(wish.seats))]
        return _show_seats(
            request,
            visitor,
            departure,
            request.POST,
            told=tell(refused),
            suggestions=suggestions,
            status=int(refused.problem.status),
        )


def take(request: HttpRequest, visitor: Visitor, wish: SeatWish) -> HttpResponse:
    """Hold the seats and go on to who travels."""
    note(request, departure=wish.departure, source=wish.source, destination=wish.destination)
    held = hold_seats(owner=visitor.owner, wish=wish)
    return go(request, reverse("web:checkout", args=[held.hold]))


def take_kept_wish(request: HttpRequest, visitor: Visitor) -> HttpResponse | None:
    """Somebody just signed in: hold what they had picked before; None if they had not."""
    kept = request.session.pop(WISH, None)
    if kept is None:
        return None
    wish = SeatWish(**{**kept, "seats": tuple(kept["seats"]), "passengers": ()})
    try:
        return take(request, visitor, wish)
    except SeatlockError as refused:
        query = QueryDict(mutable=True)
        query.update({"from": wish.source, "to": wish.destination})
        query.setlist("seat", list(wish.seats))
        suggestions = tuple(refused.data.get("suggestions", ()))[: max(1, len(wish.seats))]
        return _show_seats(
            request,
            visitor,
            wish.departure,
            query,
            told=tell(refused),
            suggestions=suggestions,
            status=int(refused.problem.status),
        )


def _read_wish(departure: int, said: QueryDict) -> SeatWish:
    picked = tuple(dict.fromkeys(seat[:24] for seat in said.getlist("seat")))[:100]
    by_us = said.get("how") == "best"
    preference = said.get("preference", "together")
    return SeatWish(
        departure=departure,
        source=said.get("from", "")[:40],
        destination=said.get("to", "")[:40],
        seats=() if by_us else picked,
        travel_class=(said.get("class") or None) if by_us else None,
        count=read_party(said.get("seats", "")) if by_us else 0,
        preference=preference if preference in PREFERENCES else "together",  # type: ignore[arg-type]
    )
