"""Serve: whoever waits gets seats that are free, first come first served.

One look at the seats, then entry by entry in their order: each that can be served from what is
free is served, and its seats are gone for those behind. So a party is passed only by those who
can be served while it cannot. Seats taken since the look make the script refuse, and then it is
looked at again from the first entry on; nobody is passed because of an old look.

Several servers at once are safe: the script gives a seat once, and an entry's hold has one name.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
import redis.exceptions
from django.db import DatabaseError

from config.errors import SeatlockError
from reservations.availability import ranking
from reservations.availability.plans import Plan, Stretch, forget, read_again
from reservations.availability.words import Words, set_legs
from reservations.holds import store
from reservations.holds.images import Image
from reservations.holds.members import Member
from reservations.holds.scripts import Outcome
from reservations.services.choose_seats import groups_among, resolve_overdue, taken_in
from reservations.services.refresh_image import load_image, refresh_departure
from reservations.waitlist.models import Entry
from reservations.waitlist.queue import waiting_anywhere, waiting_on
from reservations.waitlist.services.make_offer import Offer, Place, make_offer, place_of
from trains.errors import FareMissing

logger = logging.getLogger(__name__)
LOOKS: Final = 50
ENTRIES: Final = 5_000


def serve_soon(departure: int) -> None:
    """Serve now if that goes smoothly; the task comes back to it if not. Never raises."""
    try:
        serve_departure(departure)
    except (SeatlockError, DatabaseError, redis.exceptions.RedisError):
        logger.warning("the waitlist of %s is served later", departure, exc_info=True)


def serve_all() -> int:
    """Serve every departure that somebody waits for and where seats may be free; how many entries.

    Two queries and one round trip when nothing is free.
    """
    queues: defaultdict[int, list[Entry]] = defaultdict(list)
    for entry in waiting_anywhere()[:ENTRIES]:
        queues[entry.departure_id].append(entry)
    plans = read_again(queues)
    served = 0
    for image in store.read_images(list(plans)):
        if _may_serve(plans[image.departure], image, queues[image.departure]):
            served += serve_departure(image.departure)
    return served


def serve_departure(departure: int) -> int:
    """Serve who can be served on one departure; how many entries got seats."""
    served = 0
    for _ in range(LOOKS):
        count, is_done = _serve_once(departure)
        served += count
        if is_done:
            break
    return served


def _may_serve(plan: Plan, image: Image, queue: Sequence[Entry]) -> bool:
    if not image.loaded or image.revision != plan.revision:
        return True
    taken = taken_in(plan, image)
    return any(entry.hold is not None or _fits(plan, taken, entry) for entry in queue)


def _fits(plan: Plan, taken: Words, entry: Entry) -> bool:
    free = ranking.count_free(plan.train, taken, Stretch(entry.from_stop, entry.to_stop))
    return free.get(entry.travel_class, 0) >= entry.count


def _serve_once(departure: int) -> tuple[int, bool]:
    """One look and one walk along the queue: how many were served, and whether that was all."""
    plan = read_again([departure]).get(departure)
    entries = list(waiting_on(departure)) if plan else []
    if plan is None or not entries:
        return 0, True
    resolve_overdue(store.reap([departure])[departure][1])
    (image,) = store.read_images([departure])
    if not image.loaded:
        load_image(departure=departure)
        return 0, False
    if image.revision != plan.revision:
        refresh_departure(departure=departure)
        return 0, False
    return _walk(plan, entries, taken_in(plan, image))


def _walk(plan: Plan, entries: Sequence[Entry], taken: Words) -> tuple[int, bool]:
    served = 0
    for entry in entries:
        place = place_of(plan, entry)
        groups = _groups(place, taken)
        if not groups and not place.is_begun:
            continue
        offer, answer = make_offer(place, groups)
        if offer is Offer.LOOK_AGAIN:
            return served, not (answer and _prepare(plan.departure, answer))
        if offer is Offer.MADE and answer is not None and answer.held is not None:
            served += 1
            _take(taken, answer.held.member)
    return served, True


def _groups(place: Place, taken: Words) -> list[str]:
    try:
        return groups_among(place.plan, place.stretch, place.wish, taken)
    except FareMissing:  # the class is not sold any more
        return []


def _prepare(departure: int, answer: store.Answer) -> bool:
    """What the script asked for before it can decide; False: it refused for good."""
    match answer.outcome:
        case Outcome.LOAD:
            load_image(departure=departure)
        case Outcome.REPLAN:
            forget(departure)
            refresh_departure(departure=departure)
        case Outcome.OVERDUE:
            resolve_overdue(answer.rest)
        case Outcome.STALE | Outcome.HELD:  # held, and the entry had left: its seats are free again
            pass
        case _:
            return False
    return True


def _take(taken: Words, member: Member) -> None:
    """The seats of a hold just made are gone for those behind."""
    ordinals = np.array(member.ordinals, np.int64)
    stops = (np.full_like(ordinals, stop) for stop in (member.from_stop, member.to_stop))
    set_legs(taken, ordinals, *stops)
