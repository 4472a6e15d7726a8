"""The engine without HTTP: bulk services called by a few processes, as agents and replays do.

Each process has departures of its own; it locks places, then confirms them, in batches. The
confirms are timed, from the moment all processes begin to the end of the last, and so are counts
of free seats: every stretch of many departures, one call for each hundred departures.
"""

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # a process that begins anew reads this module before Django is set up
    from tests.bench.world import World

BATCH: Final = 50
DEPARTURES_A_CALL: Final = 100
Seconds = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one process does: `bookings` on its `runs` (departure ids), by these `users`."""

    runs: Sequence[int]
    users: Sequence[int]
    seats: Sequence[str]
    stops: Sequence[str]
    bookings: int


def measure_engine(world: "World", *, bookings: int, processes: int = 2) -> dict[str, Any]:
    """Confirmed bookings a second, and counts of free seats a second."""
    works = _works(world, bookings=bookings // processes, processes=processes)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_set_up, initargs=(_where(),)) as pool:
        holds = list(pool.map(_hold, works))
        booked = list(pool.map(_confirm, works, holds))
        counted = list(pool.map(_count, works))
    made = sum(number for number, _ in booked)
    answers = sum(number for number, _ in counted)
    return {
        "processes": processes,
        "batch": BATCH,
        "locked": sum(len(each) for each in holds),
        "booked": made,
        "bookings_a_second": made / _lasted([span for _, span in booked]),
        "counts": answers,
        "counts_a_second": answers / _lasted([span for _, span in counted]),
    }


def _lasted(spans: Sequence[Seconds]) -> float:
    return max(end for _, end in spans) - min(start for start, _ in spans)


def _works(world: "World", *, bookings: int, processes: int) -> list[Work]:
    from users.models import User

    users = list(User.objects.order_by("pk").values_list("pk", flat=True)[: len(world.tokens)])
    share = len(users) // processes
    departures = -(-bookings // len(world.seats)) + 4
    return [
        Work(
            runs=[run.id for run in world.take(max(departures, 24))],
            users=users[number * share : (number + 1) * share],
            seats=world.seats,
            stops=world.stops,
            bookings=bookings,
        )
        for number in range(processes)
    ]


def _where() -> dict[str, str]:
    """The database of this run, for processes that begin anew."""
    from tests.web import test_database_url

    return {"DATABASE_URL": test_database_url()}


def _set_up(environment: dict[str, str]) -> None:
    os.environ.update(environment)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()


def _asks(work: Work) -> Iterator[Any]:
    """Locks of one seat each on a part of the line, by one traveller after another."""
    from reservations.services.choose_seats import SeatWish
    from reservations.services.hold_many import LockAsk
    from reservations.services.hold_seats import Owner

    turn = 0
    middle = len(work.stops) // 2
    for seat in work.seats:
        for source, destination in ((0, middle), (middle, -1)):
            for run in work.runs:
                owner = Owner(work.users[turn % len(work.users)], "measured")
                wish = SeatWish(
                    departure=run,
                    source=work.stops[source],
                    destination=work.stops[destination],
                    seats=(seat,),
                )
                yield LockAsk(owner, wish)
                turn += 1


def _hold(work: Work) -> list[tuple[int, str]]:
    """Users and their holds."""
    from reservations.services.hold_many import hold_many
    from reservations.services.hold_view import HoldView

    asks, held = _asks(work), []
    while batch := list(islice(asks, min(BATCH, work.bookings - len(held)))):
        for ask, view in zip(batch, hold_many(batch), strict=True):
            assert isinstance(view, HoldView), view
            held.append((ask.owner.user, view.hold))
    return held


def _confirm(work: Work, held: Sequence[tuple[int, str]]) -> tuple[int, Seconds]:
    """How many were booked, and from when to when."""
    from reservations.services.confirm_booking import Confirmed
    from reservations.services.confirm_bookings import ConfirmAsk, confirm_bookings
    from reservations.services.hold_seats import Owner

    asks = [ConfirmAsk(owner=Owner(user, "measured"), hold=hold) for user, hold in held]
    started = time.monotonic()
    answers = [
        answer
        for at in range(0, len(asks), BATCH)
        for answer in confirm_bookings(asks[at : at + BATCH])
    ]
    ended = time.monotonic()
    assert all(isinstance(answer, Confirmed) and answer.is_new for answer in answers)
    return len(answers), (started, ended)


def _count(work: Work) -> tuple[int, Seconds]:
    """How many counts of free seats were given: every stretch of every departure."""
    from reservations.availability.count_many import StretchAsk, count_many

    pairs = [(a, b) for at, a in enumerate(work.stops) for b in work.stops[at + 1 :]]
    started, answers = time.monotonic(), 0
    for at in range(0, len(work.runs), DEPARTURES_A_CALL):
        some = work.runs[at : at + DEPARTURES_A_CALL]
        answers += len(count_many([StretchAsk(run, *pair) for run in some for pair in pairs]))
    return answers, (started, time.monotonic())
