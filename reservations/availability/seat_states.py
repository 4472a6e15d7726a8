"""The state of seats, from Redis; from PostgreSQL where Redis has no image or cannot be reached.

Any number of departures costs one Redis round trip, and at most one query for all those whose
image is not loaded, and one for who waits. Without Redis the holds cannot be seen: the answer is
marked stale.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import redis.exceptions

from config import clock
from config.errors import StoreUnavailable
from reservations.availability.taken_rows import TakenRows, read_taken
from reservations.availability.train_plan import Plan, TrainPlan
from reservations.availability.waiting import Queue, Waiting, kept_words, queues_of, read_waiting
from reservations.availability.words import Words, no_words, set_legs, words_of
from reservations.holds.images import Image
from reservations.holds.members import Member, moment
from reservations.holds.store import read_images

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class SeatState:
    """The seats of one departure at the moment `as_of`; images are (places, words) uint32.

    `sold` holds what is blocked as well, `held` what is free and kept for who waits (`queues`).
    `members` are the live holds, if they were asked for.
    `stale`: Redis could not be asked, so nothing is known of holds.
    """

    held: Words
    sold: Words
    blocked: Words
    members: tuple[Member, ...]
    as_of: datetime
    stale: bool
    loaded: bool
    revision: str
    queues: tuple[Queue, ...] = ()

    @property
    def taken(self) -> Words:
        return self.held | self.sold


def read_states(plans: Mapping[int, Plan], *, members: bool = False) -> dict[int, SeatState]:
    """The state of these departures; `members` asks for their live holds too."""
    if not plans:
        return {}
    try:
        images = {image.departure: image for image in read_images(list(plans), members=members)}
    except (redis.exceptions.RedisError, StoreUnavailable) as away:
        logger.warning("seats are shown from PostgreSQL alone: %s", away)
        return _from_rows_alone(plans)
    unloaded = {
        departure: plan for departure, plan in plans.items() if not images[departure].loaded
    }
    rows = read_taken(unloaded)
    waiting = read_waiting(unloaded) if unloaded else {}
    return {
        departure: _from_image(plan.train, images[departure])
        if departure not in rows
        else _from_members(plan, images[departure], rows[departure], waiting[departure])
        for departure, plan in plans.items()
    }


def _from_image(train: TrainPlan, image: Image) -> SeatState:
    held, sold = words_of(image.held, train), words_of(image.sold, train)
    return SeatState(
        held=held | (words_of(image.kept, train) & ~sold),
        sold=sold,
        blocked=words_of(image.blocked, train),
        members=image.members,
        as_of=moment(image.now_ms),
        stale=False,
        loaded=True,
        revision=image.revision,
        queues=queues_of(image.waiting),
    )


def _from_members(plan: Plan, image: Image, rows: TakenRows, waiting: Waiting) -> SeatState:
    """What a load would make of it, without loading: held from members, the rest from rows."""
    sold = rows.sold | rows.blocked
    return SeatState(
        held=held_words(plan.train, image.members) | (kept_words(plan, waiting) & ~sold),
        sold=sold,
        blocked=rows.blocked,
        members=image.members,
        as_of=moment(image.now_ms),
        stale=False,
        loaded=False,
        revision=image.revision,
        queues=waiting.queues,
    )


def _from_rows_alone(plans: Mapping[int, Plan]) -> dict[int, SeatState]:
    now = clock.now()
    rows = read_taken(plans)
    return {
        departure: SeatState(
            held=no_words(plan.train),
            sold=rows[departure].sold | rows[departure].blocked,
            blocked=rows[departure].blocked,
            members=(),
            as_of=now,
            stale=True,
            loaded=False,
            revision="",
        )
        for departure, plan in plans.items()
    }


def held_words(train: TrainPlan, members: tuple[Member, ...]) -> Words:
    """The seats and legs of holds as an image."""
    words = no_words(train)
    triples = [
        (ordinal, member.from_stop, member.to_stop)
        for member in members
        for ordinal in member.ordinals
        if ordinal < train.places
    ]
    set_legs(words, *np.array(triples, np.int64).reshape(-1, 3).T)
    return words
