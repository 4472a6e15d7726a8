"""`departures/search/`, `departures/<id>/` and `departures/<id>/seats/`: open to everybody."""

from datetime import date
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config import clock
from config.errors import Invalid
from config.http.pagination import envelope, read_window
from config.http.query import day, whole_number
from config.http.request_log import note
from reservations.api.departures.details import describe_departure
from reservations.api.departures.search import render_found
from reservations.api.departures.seat_map import current_state, render_seats
from reservations.api.door import answer, door, view
from reservations.availability.find_departures import Journey
from reservations.availability.plans import read_again
from reservations.availability.timetable import search as search_timetable
from trains.views.departures import DepartureView
from users.tokens import Caller

# More seats than any coach has are a slip of the keyboard.
SEATS_WANTED_MAX: Final = 100
CODE_MAX: Final = 40


@door("read", "open")
def _search(request: HttpRequest, caller: Caller | None) -> HttpResponse:
    del caller
    window = read_window(request.GET)
    seats = whole_number(request.GET, "seats", default=1, minimum=1, maximum=SEATS_WANTED_MAX)
    journey = Journey(
        source=_required(request, "source"),
        destination=_required(request, "destination"),
        day=_day(request),
        travel_class=request.GET.get("travel_class") or None,
    )
    found, free = search_timetable(journey, limit=window.limit, offset=window.offset)
    note(request, source=found.source.code, destination=found.destination.code)
    rows = render_found(found, free, travel_class=journey.travel_class, seats=seats)
    page = envelope(request, window=window, count=found.count, results=rows)
    return answer({**page, "stale": free.stale})


@door("read", "open")
def _show(request: HttpRequest, caller: Caller | None, departure_id: int) -> HttpResponse:
    del caller
    read_again([departure_id])  # what staff changed a moment ago shows at once
    plan, state = current_state(departure_id)
    live_url = socket_url(request, departure_id)
    return answer(describe_departure(plan, state, now=clock.now(), live_url=live_url))


@door("read", "open")
def _seats(request: HttpRequest, caller: Caller | None, departure_id: int) -> HttpResponse:
    plan, state = current_state(departure_id)
    stops = plan.train.stops
    source = request.GET.get("source") or stops[0].code
    destination = request.GET.get("destination") or stops[-1].code
    stretch = plan.stretch(source, destination)
    body = render_seats(plan, state, stretch, caller.user_id if caller else None)
    return HttpResponse(body, content_type="application/json")


def _required(request: HttpRequest, name: str) -> str:
    code = request.GET.get(name, "").strip()
    if not code:
        raise Invalid({name: ["This field is required."]})
    if len(code) > CODE_MAX:
        raise Invalid({name: [f"At most {CODE_MAX} characters."]})
    return code


def _day(request: HttpRequest) -> date:
    found = day(request.GET, "date")
    if found is None:
        raise Invalid({"date": ["This field is required."]})
    return found


def socket_url(request: HttpRequest, departure: int) -> str:
    """The socket of the departure: LIVE_URL, or same host and the port of the live process."""
    env = settings.ENV
    if env.live_url:
        return f"{env.live_url}/ws/departures/{departure}/"
    host = request.get_host()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    scheme = "wss" if request.is_secure() else "ws"
    return f"{scheme}://{name}:{env.live_port or env.port + 1}/ws/departures/{departure}/"


_staff = DepartureView.as_view()

search = view(GET=_search)
departure = view(GET=_show, PATCH=_staff)
seats = view(GET=_seats)
