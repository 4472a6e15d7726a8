"""What somebody would wait for: a class of a departure on a stretch, for a party."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import QueryDict
from django.urls import reverse

from config import clock
from reservations.api.departures.seat_map import current_state
from reservations.availability.plans import Plan, Stretch
from reservations.availability.ranking import count_free
from reservations.availability.waiting import parties_waiting
from reservations.waitlist.services.join_waitlist import chart_time
from trains.classes import sort_key
from web.search.asked import read_party


@dataclass(frozen=True)
class Asked:
    """The form of the page on which one joins. `waiting`: parties in the queue for that class."""

    plan: Plan
    stretch: Stretch
    travel_class: str
    seats: int
    waiting: int
    free: int
    classes: tuple[str, ...]

    @property
    def source(self) -> Any:
        return self.plan.train.stops[self.stretch.from_stop]

    @property
    def destination(self) -> Any:
        return self.plan.train.stops[self.stretch.to_stop]

    @property
    def departs(self) -> datetime:
        return self.plan.boards_at(self.stretch).astimezone(ZoneInfo(self.source.timezone))

    @property
    def closes(self) -> datetime:
        return chart_time(self.plan).astimezone(ZoneInfo(self.source.timezone))

    @property
    def is_closed(self) -> bool:
        return chart_time(self.plan) <= clock.now()

    @property
    def parties(self) -> range:
        return range(1, settings.ENV.hold_max_seats + 1)

    @property
    def offer_minutes(self) -> int:
        return int(settings.ENV.waitlist_offer_seconds) // 60

    @property
    def seats_address(self) -> str:
        query = {"from": self.source.code, "to": self.destination.code, "seats": self.seats}
        query["class"] = self.travel_class
        return f"{reverse('web:seats', args=[self.plan.departure])}?{urlencode(query)}"


def ask(departure: int, said: QueryDict) -> Asked:
    """Read it; a class that is not there is the first that is sold.

    Raises `NotFound`, `Invalid`.
    """
    plan, state = current_state(departure)
    stops = plan.train.stops
    stretch = plan.stretch(said.get("from") or stops[0].code, said.get("to") or stops[-1].code)
    free = count_free(plan.train, state.taken, stretch)
    classes = tuple(sorted((name for name in free if plan.has_fare(name)), key=sort_key))
    wanted = said.get("class", "")
    chosen = wanted if wanted in classes else (classes or ("",))[0]
    return Asked(
        plan=plan,
        stretch=stretch,
        travel_class=chosen,
        seats=read_party(said.get("seats", "")),
        waiting=parties_waiting(state.queues, stretch, chosen),
        free=free.get(chosen, 0),
        classes=classes,
    )
