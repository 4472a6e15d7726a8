"""The engine without HTTP: bulk services called by a few processes, as agents and replays do.

Each process has departures of its own; it locks places, then confirms them, in batches. The
confirms are timed, from the moment all processes begin to the end of the last, and so are counts
of free seats: every stretch of the departures, all in one call, several times.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # a process that begins anew reads this module before Django is set up
    from tests.bench.world import World

BATCH: Final = 50
PROCESSES: Final = 4  # two that wait for a store in turn leave a third of two processors idle
BOOKINGS_A_DEPARTURE: Final = 300
COUNTED_TIMES: Final = 8


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one process does: `bookings` on its `runs` (departure ids), by these `users`."""

    runs: Sequence[int]
    users: Sequence[int]
    seats: Sequence[str]
    stops: Sequence[str]
    bookings: int


@dataclass(frozen=True)
class _Done:
    """What one process did, from when to when, and its CPU."""

    number: int
    started: float
    ended: float
    cpu_seconds: float

    @classmethod
    def of(cls, act: Callable[[], int]) -> "_Done":
        started, cpu = time.monotonic(), time.process_time()
        number = act()
        return cls(number, started, time.monotonic(), time.process_time() - cpu)


def measure_engine(world: "World", *, bookings: int, processes: int = PROCESSES) -> dict[str, Any]:
    """Confirmed bookings a second, and counts of free seats a second."""
    works = _works(world, bookings=bookings // processes, processes=processes)
    from tests.bench.processes import Watch

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_set_up, initargs=(_where(),)) as pool:
        holds = list(pool.map(_hold, works))
        watch = Watch({})
        before = watch.usage()
        booked = list(pool.map(_confirm, works, holds))
        used = watch.usage() - before
        counted = list(pool.map(_count, works))
    made, answers = (sum(each.number for each in done) for done in (booked, counted))
    cpu_us = used.per_call_us(made)
    cpu_us["services"] = round(sum(each.cpu_seconds for each in booked) * 1e6 / made, 1)
    cpu_us.pop("generator", None)
    return {
        "processes": processes,
        "batch": BATCH,
        "locked": sum(len(each) for each in holds),
        "booked": made,
        "bookings_a_second": made / _lasted(booked),
        "cpu_us": cpu_us,
        "counts": answers,
        "counts_a_second": answers / _lasted(counted),
    }


def _lasted(done: "Sequence[_Done]") -> float:
    return max(each.ended for each in done) - min(each.started for each in done)


def _works(world: "World", *, bookings: int, processes: int) -> list[Work]:
    from users.models import User

    users = list(User.objects.order_by("pk").values_list("pk", flat=True)[: len(world.tokens)])
    share = len(users) // processes
    departures = max(4, bookings // BOOKINGS_A_DEPARTURE)
    return [
        Work(
            runs=[run.id for run in world.take(departures)],
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

    asks = _asks(work)
    held: list[tuple[int, str]] = []
    while batch := list(islice(asks, min(BATCH, work.bookings - len(held)))):
        for ask, view in zip(batch, hold_many(batch), strict=True):
            assert isinstance(view, HoldView), view
            held.append((ask.owner.user, view.hold))
    return held


def _confirm(work: Work, held: Sequence[tuple[int, str]]) -> _Done:
    from reservations.services.confirm_booking import Confirmed
    from reservations.services.confirm_bookings import ConfirmAsk, confirm_bookings
    from reservations.services.hold_seats import Owner

    asks = [ConfirmAsk(owner=Owner(user, "measured"), hold=hold) for user, hold in held]

    def confirm() -> int:
        batches = (asks[at : at + BATCH] for at in range(0, len(asks), BATCH))
        answers = [answer for batch in batches for answer in confirm_bookings(batch)]
        assert all(isinstance(answer, Confirmed) and answer.is_new for answer in answers)
        return len(answers)

    return _Done.of(confirm)


def _count(work: Work) -> _Done:
    """Free seats of every stretch of every departure, in one call."""
    from reservations.availability.count_many import StretchAsk, count_many

    pairs = [(a, b) for at, a in enumerate(work.stops) for b in work.stops[at + 1 :]]
    asks = [StretchAsk(run, *pair) for run in work.runs for pair in pairs]
    return _Done.of(lambda: sum(len(count_many(asks)) for _ in range(COUNTED_TIMES)))
