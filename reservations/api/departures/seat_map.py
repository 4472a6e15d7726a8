"""The seat map: the status of every seat of a departure on one stretch, as JSON.

A thousand seats are rendered from parts made once a train: what a free seat looks like. Only the
others are put together anew.
"""

import logging
import math
from functools import lru_cache
from typing import Final

import msgspec
import numpy as np
import redis.exceptions
from numpy.typing import NDArray

from config import clock
from config.errors import StoreUnavailable
from reservations.api.departures.bodies import SeatBody, SeatMapBody
from reservations.availability.memory import BoundedMemory
from reservations.availability.plans import Plan, Stretch, forget, plan_of
from reservations.availability.ranking import free_mask
from reservations.availability.seat_states import SeatState, read_states
from reservations.availability.seating import walking_order
from reservations.availability.train_plan import TrainPlan
from reservations.availability.words import Ints, Words
from reservations.holds.members import Member, moment
from reservations.services.refresh_image import load_image

logger = logging.getLogger(__name__)

# A train of 1,000 seats takes some 150 KB here.
RENDERED_TRAINS: Final = 128
MOMENTS_REMEMBERED: Final = 16_384
FREE_TAIL: Final = b'free"}'

_encode = msgspec.json.Encoder(decimal_format="string").encode
_free_seats: BoundedMemory[TrainPlan, tuple[Ints, list[bytes]]] = BoundedMemory(RENDERED_TRAINS)


def current_state(departure: int) -> tuple[Plan, SeatState]:
    """The plan and the seats of a departure as they are now, with live holds.

    An image that is missing is loaded for those who come next, if the run has not ended; a plan
    older than the image is read again. Without Redis the state is stale. Raises `NotFound`.
    """
    plan = plan_of(departure)
    state = read_states({departure: plan}, members=True)[departure]
    if state.loaded and state.revision != plan.revision:
        forget(departure)
        plan = plan_of(departure)
        state = read_states({departure: plan}, members=True)[departure]
    if not state.loaded and not state.stale and clock.now() < plan.ends_at:
        _load(departure)
    return plan, state


def _load(departure: int) -> None:
    """Load the image; that it cannot be done is no reason to refuse what was read already."""
    try:
        load_image(departure=departure)
    except (redis.exceptions.RedisError, StoreUnavailable):
        logger.warning("the seat image of %s was not loaded", departure, exc_info=True)


def render_seats(plan: Plan, state: SeatState, stretch: Stretch, user: int | None) -> bytes:
    """A `SeatMapBody` as JSON. `user`: whose own holds are shown as `mine`."""
    train = plan.train
    ordinals, as_free = _rendered_free(train)
    free = free_mask(train, state.taken, stretch)
    holds = last_holds(state, stretch)

    seats = as_free.copy()
    places = np.flatnonzero(~free[ordinals])
    taken = ordinals[places]
    sold, blocked = (touched(words, stretch)[taken] for words in (state.sold, state.blocked))
    for at, ordinal, is_sold, is_blocked in zip(
        places.tolist(), taken.tolist(), sold.tolist(), blocked.tolist(), strict=True
    ):
        status, hold = b"held", holds.get(ordinal)
        if hold is not None and hold.user == user:
            status = b"mine"
        elif is_blocked or is_sold:
            status, hold = (b"blocked" if is_blocked else b"sold"), None
        until = b"" if hold is None or hold.pinned else _until(hold.deadline_ms)
        seats[at] = b'%b%b"%b}' % (seats[at][: -len(FREE_TAIL)], status, until)
    head = SeatMapBody(
        departure=plan.departure,
        source=train.stops[stretch.from_stop].code,
        destination=train.stops[stretch.to_stop].code,
        as_of=state.as_of,
        stale=state.stale,
        free=int(free.sum()),
        seats=[],
    )
    return _encode(head).removesuffix(b"]}") + b",".join(seats) + b"]}"


def last_holds(state: SeatState, stretch: Stretch) -> dict[int, Member]:
    """By ordinal: of the holds that touch the stretch, the one that ends last. One that is being
    confirmed has no end.
    """
    last: dict[int, Member] = {}
    for member in state.members:
        if stretch.overlaps(member):
            for ordinal in member.ordinals:
                known = last.get(ordinal)
                if known is None or _end_of(known) < _end_of(member):
                    last[ordinal] = member
    return last


def _end_of(member: Member) -> float:
    return math.inf if member.pinned else member.deadline_ms


@lru_cache(maxsize=MOMENTS_REMEMBERED)
def _until(deadline_ms: int) -> bytes:
    return b',"held_until":' + _encode(moment(deadline_ms))


def touched(words: Words, stretch: Stretch) -> NDArray[np.bool_]:
    """For each seat, whether a leg of the stretch is set."""
    mask = np.frombuffer(stretch.mask(words.shape[1]), "<u4")
    touched: NDArray[np.bool_] = (words & mask).any(axis=1)
    return touched


def _rendered_free(train: TrainPlan) -> tuple[Ints, list[bytes]]:
    """The seats in walking order, and each as JSON as if it were free."""
    known = _free_seats.get(train)
    if known is None:
        ordinals = walking_order(train)
        rendered = [_encode(_free_seat(train, ordinal)) for ordinal in ordinals.tolist()]
        assert all(seat.endswith(FREE_TAIL) for seat in rendered)  # noqa: S101  # what is cut off
        known = ordinals, rendered
        _free_seats.put(train, known)
    return known


def _free_seat(train: TrainPlan, ordinal: int) -> SeatBody:
    coach = train.coaches[train.coach_of[ordinal]]
    return SeatBody(
        seat=train.labels[ordinal],
        coach=coach.label,
        number=int(train.numbers[ordinal]),
        travel_class=coach.travel_class,
        position=train.positions[ordinal],
        status="free",
    )
