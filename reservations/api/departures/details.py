"""One departure for travellers: where it stops and when, its coaches, and whether it is on sale."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from reservations.api.departures.bodies import (
    CoachBody,
    DepartureBody,
    StopBody,
    TrainWithModeBody,
)
from reservations.api.departures.search import kilometres
from reservations.availability.plans import Plan, PlannedStop, Stretch
from reservations.availability.ranking import free_mask
from reservations.availability.seat_states import SeatState
from trains.sale import SaleState, moment_at


def describe_departure(
    plan: Plan, state: SeatState, *, now: datetime, live_url: str
) -> DepartureBody:
    """The departure as of `now`. It is on sale as long as somebody may still board somewhere."""
    train = plan.train
    sale = plan.sale_state(_last_boarding(plan), now)
    return DepartureBody(
        departure=plan.departure,
        train=TrainWithModeBody(train.number, train.name, train.mode),
        service_date=plan.service_date,
        stops=[_stop(plan, sequence, stop) for sequence, stop in enumerate(train.stops)],
        coaches=_coaches(plan, state),
        on_sale=sale is SaleState.OPEN,
        sale_state=sale.value,
        sale_opens_at=plan.sale_opens_at,
        as_of=state.as_of,
        stale=state.stale,
        live_url=live_url,
    )


def _last_boarding(plan: Plan) -> Stretch:
    last = plan.train.legs
    boarding = [at for at, stop in enumerate(plan.train.stops[:last]) if stop.pickup]
    return Stretch(boarding[-1] if boarding else last - 1, last)


def _stop(plan: Plan, sequence: int, stop: PlannedStop) -> StopBody:
    zone = ZoneInfo(stop.timezone)
    arrives = moment_at(plan.starts_at, stop.arrival_seconds) if sequence else None
    is_last = sequence == plan.train.legs
    departs = None if is_last else moment_at(plan.starts_at, stop.departure_seconds)
    return StopBody(
        code=stop.code,
        name=stop.name,
        timezone=stop.timezone,
        arrives_at=arrives,
        departs_at=departs,
        local_arrival=arrives and arrives.astimezone(zone),
        local_departure=departs and departs.astimezone(zone),
        distance_km=kilometres(stop.distance_km),
        pickup=stop.pickup,
        drop_off=stop.drop_off,
    )


def _coaches(plan: Plan, state: SeatState) -> list[CoachBody]:
    train = plan.train
    free = free_mask(train, state.taken, Stretch(0, train.legs))
    size = len(train.coaches)
    seats = np.bincount(train.coach_of[train.coach_of >= 0], minlength=size)
    free_seats = np.bincount(train.coach_of[free], minlength=size)
    return [
        CoachBody(coach.label, coach.travel_class, int(seats[at]), int(free_seats[at]))
        for at, coach in enumerate(train.coaches)
    ]
