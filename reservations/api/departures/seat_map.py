"""The seat map: the status of every seat of a departure on one stretch, as JSON.

A thousand seats are rendered from parts made once a train: what a free seat looks like. Only the
others are put together anew.
"""

import logging
import math
from dataclasses import dataclass
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
from reservations.services.refresh_image import load_image

logger = logging.getLogger(__name__)

# A train of 1,000 seats takes some 150 KB here.
RENDERED_TRAINS: Final = 128
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
    sold, blocked = (touched(words, stretch) for words in (state.sold, state.blocked))
    ends = ends_of_holds(state, stretch)
    mine = {ordinal for ordinal, end in ends.items() if user is not None and end.user == user}

    seats = as_free.copy()
    for at in np.flatnonzero(~free[ordinals]).tolist():
        ordinal = int(ordinals[at])
        status, end = b"held", ends.get(ordinal)
        if ordinal in mine:
            status = b"mine"
        elif blocked[ordinal] or sold[ordinal]:
            status, end = (b"blocked" if blocked[ordinal] else b"sold"), None
        until = b"" if end is None or end.until is None else b',"held_until":' + end.until
        seats[at] = seats[at][: -len(FREE_TAIL)] + status + b'"' + until + b"}"
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


@dataclass(frozen=True, slots=True)
class End:
    """When the last hold of a seat ends, as JSON (None: it is being confirmed), and whose it is."""

    deadline_ms: float
    until: bytes | None
    user: int


def ends_of_holds(state: SeatState, stretch: Stretch) -> dict[int, End]:
    """By ordinal: of the holds that touch the stretch, the one that ends last."""
    ends: dict[int, End] = {}
    for member in state.members:
        if not stretch.overlaps(Stretch(member.from_stop, member.to_stop)):
            continue
        if member.pinned:
            end = End(math.inf, None, member.user)
        else:
            end = End(member.deadline_ms, _encode(member.expires_at), member.user)
        for ordinal in member.ordinals:
            if ordinal not in ends or ends[ordinal].deadline_ms < end.deadline_ms:
                ends[ordinal] = end
    return ends


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
