"""Each seat image against the rows and the holds it is made of.

The image is read by the engine's own script, in one step with its members. The rows are read
before and after: a bit is wrong only if both times say so.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from reservations.availability.plans import Plan, read_again
from reservations.availability.ranking import count_free
from reservations.availability.seat_states import held_words
from reservations.availability.stretches import WORD_BITS, Stretch
from reservations.availability.taken_rows import TakenRows, read_taken
from reservations.availability.train_plan import NO_SEAT, TrainPlan
from reservations.availability.waiting import Waiting, kept_words, read_waiting
from reservations.availability.words import Words, no_words, set_legs, words_of
from reservations.holds import store
from reservations.holds.images import Image
from reservations.invariants.judging import Check, Look, Scope
from reservations.invariants.memory import departures_in_memory

BATCH: Final = 50
BITS_TOLD: Final = 100


def _look(scope: Scope) -> Look:
    departures = departures_in_memory(scope)
    wrong: dict[str, int | None] = {}
    seen = 0
    for start in range(0, len(departures), BATCH):
        plans = read_again(departures[start : start + BATCH])
        before, waited_before = read_taken(plans), read_waiting(plans)
        images = store.read_images(list(plans), members=True)
        after, waited_after = read_taken(plans), read_waiting(plans)
        for image in images:
            departure = image.departure
            if not image.loaded:
                continue
            seen += 1
            rows = (before[departure], after[departure])
            waiting = (waited_before[departure], waited_after[departure])
            for words in (
                *_faults(plans[departure], image, rows),
                *_mark_faults(plans[departure], image, waiting),
            ):
                wrong[f"departure {departure}: {words}"] = departure
    return Look(seen=seen, wrong=wrong)


def _faults(plan: Plan, image: Image, rows: tuple[TakenRows, TakenRows]) -> Iterator[str]:
    if image.revision != plan.revision:
        yield f"the image is of timetable {image.revision}, not {plan.revision}"
        return
    train = plan.train
    sold, held = words_of(image.sold, train), words_of(image.held, train)
    blocked = words_of(image.blocked, train)
    owned, shared = _owned(train, image)
    pinned = held_words(train, tuple(each for each in image.members if each.pinned))
    always = (rows[0].sold | rows[0].blocked) & (rows[1].sold | rows[1].blocked)
    ever = rows[0].sold | rows[0].blocked | rows[1].sold | rows[1].blocked
    bits: Mapping[str, Words] = {
        "is held, and no hold has it": held & ~owned,
        "is free, and a hold has it": owned & ~held,
        "belongs to two holds": shared,
        "is sold, and no row says so": sold & ~ever,
        # A confirm between COMMIT and settle: sold in the row, still held in the image.
        "is free, and a row says it is sold": always & ~sold & ~pinned,
        # A hold that lived when staff blocked its seat is honoured.
        "is held and sold": held & sold & ~pinned & ~blocked,
        "is blocked in the image or in a row, not in both": (
            (blocked ^ rows[0].blocked) & (blocked ^ rows[1].blocked)
        ),
        "is no seat of this train, and taken": (held | sold) & ~_all_seats(train),
    }
    for what, wrong in bits.items():
        for label, leg in _places(train, wrong):
            yield f"{label} on leg {leg} {what}"
    yield from _sums(train, held, sold)


def _mark_faults(plan: Plan, image: Image, waiting: tuple[Waiting, Waiting]) -> Iterator[str]:
    """The waitlist's mark against the entries."""
    if image.revision != plan.revision:
        return
    kept = words_of(image.kept, plan.train)
    before, after = (kept_words(plan, each) for each in waiting)
    bits: Mapping[str, Words] = {
        "is kept, and nobody waits for it": kept & ~(before | after),
        "is waited for, and not kept": before & after & ~kept,
    }
    for what, wrong in bits.items():
        for label, leg in _places(plan.train, wrong):
            yield f"{label} on leg {leg} {what}"


def _owned(train: TrainPlan, image: Image) -> tuple[Words, Words]:
    """The bits the holds own, and those that more than one of them does."""
    owned, shared = no_words(train), no_words(train)
    for member in image.members:
        words = held_words(train, (member,))
        shared |= owned & words
        owned |= words
    return owned, shared


def _sums(train: TrainPlan, held: Words, sold: Words) -> Iterator[str]:
    """Free as search and seat maps count it, held and sold add up to the seats of each leg."""
    only_sold = sold & ~held
    for leg in range(train.legs):
        word, bit = leg // WORD_BITS, np.uint32(1 << leg % WORD_BITS)
        taken = [int(np.count_nonzero(words[:, word] & bit)) for words in (held, only_sold)]
        free = sum(count_free(train, held | sold, Stretch(leg, leg + 1)).values())
        if free + sum(taken) != train.seat_count:
            yield f"free, held and sold on leg {leg} are not its {train.seat_count} seats"


def _all_seats(train: TrainPlan) -> Words:
    words = no_words(train)
    (ordinals,) = np.nonzero(train.seat_ids != NO_SEAT)
    first = np.zeros_like(ordinals)
    set_legs(words, ordinals, first, first + train.legs)
    return words


def _places(train: TrainPlan, words: Words) -> Iterator[tuple[str, int]]:
    """Seat label (or place) and leg of each bit, a bounded number."""
    told = 0
    for ordinal, word in np.argwhere(words):
        for bit in range(WORD_BITS):
            if int(words[ordinal, word]) >> bit & 1:
                yield train.labels[ordinal] or f"place {ordinal}", int(word) * WORD_BITS + bit
                told += 1
            if told == BITS_TOLD:
                return


IMAGE_CHECK: Final = Check(
    name="images-agree",
    about="in each seat image sold bits are the rows, held bits are the holds, what is "
    "kept is waited for, and free + held + sold is the capacity of each leg",
    look=_look,
)
