"""Very many holds for `make scale`: taken in batches, let run out at once, swept beside traffic."""

import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from django.db import connection

from config import clock
from config.stores import keys
from config.stores.redis import holds_store
from reservations.availability.plans import plan_of
from reservations.services.choose_seats import SeatWish
from reservations.services.expire_holds import expire_holds
from reservations.services.hold_many import LockAsk, hold_many
from reservations.services.hold_seats import Owner, hold_seats
from reservations.services.hold_view import HoldView
from reservations.services.release_hold import release_hold
from tests.bench.figures import percentiles_ms
from tests.bench.scale_calls import load_now, next_runs
from tests.bench.scale_data import SEATS, STOPS
from trains.models import Departure

BATCH: Final = 100
SLOW_US: Final = 5_000


def hold_many_of(users: Sequence[int], number: int) -> int:
    """Holds of one seat and one leg on the departures that come last; how many were taken."""
    runs = list(
        Departure.objects.filter(train__number__startswith="line-")
        .order_by("service_date", "-pk")
        .values_list("pk", flat=True)[: max(200, number // 500)]
    )
    wishes = (
        LockAsk(
            Owner(users[(at + leg) % len(users)], "measured"),
            SeatWish(
                departure=run,
                source=plan_of(run).train.stops[leg].code,
                destination=plan_of(run).train.stops[leg + 1].code,
                seats=(f"S1-{seat}",),
            ),
        )
        for leg in range(STOPS - 1)
        for seat in range(1, SEATS // 2)
        for at, run in enumerate(runs)
    )
    taken = 0
    while taken < number:
        asks = [ask for ask, _ in zip(wishes, range(min(BATCH, number - taken)), strict=False)]
        if not asks:
            break
        taken += sum(isinstance(each, HoldView) for each in hold_many(asks))
        if taken % 20_000 < BATCH:
            forget_audit()
    return taken


def sweep(users: Sequence[int], number: int) -> dict[str, Any]:
    """Let so many holds run out at once, sweep them, and lock seats meanwhile."""
    taken = hold_many_of(users, number)
    store = holds_store()
    _let_all_run_out()
    store.config_set("slowlog-log-slower-than", SLOW_US)
    store.slowlog_reset()
    live = _Traffic(users, next_runs(20))
    live.start()
    started = time.monotonic()
    swept = expire_holds()
    took = time.monotonic() - started
    live.end()
    slow: Any = store.slowlog_get(128)
    return {
        "holds": taken,
        "left": live_holds(),
        "seconds": round(took, 2),
        "visits": asdict(swept),
        "live lock": percentiles_ms(live.seconds),
        "scripts over 5 ms": len(slow),
        "slowest ms": max((each["duration"] / 1000 for each in slow), default=0.0),
        "load_1": load_now(),
    }


def _let_all_run_out() -> None:
    """Move every deadline to a moment ago, as if the time had passed."""
    store, over = holds_store(), int(clock.now().timestamp() * 1000) - 1_000
    for shard in range(keys.SHARDS):
        due: Any = store.zrange(keys.due(shard), 0, -1)
        pipe = store.pipeline(transaction=False)
        for departure in map(int, due):
            members: Any = store.zrange(keys.of(departure, "live"), 0, -1)
            if members:
                pipe.zadd(keys.of(departure, "live"), dict.fromkeys(members, over), xx=True)
                pipe.zadd(keys.due(shard), {str(departure): over})
        pipe.execute()


class _Traffic(threading.Thread):
    """Somebody who locks seats and gives them back all the while."""

    def __init__(self, users: Sequence[int], runs: Sequence[int]) -> None:
        super().__init__(daemon=True)
        self.seconds: list[float] = []
        self._users, self._runs, self._is_over = users, runs, threading.Event()
        for run in runs:
            plan_of(run)

    def run(self) -> None:
        at = 0
        while not self._is_over.wait(0.002):
            run = self._runs[at % len(self._runs)]
            stops = plan_of(run).train.stops
            wish = SeatWish(departure=run, source=stops[0].code, destination=stops[1].code, count=1)
            started = time.perf_counter()
            user = self._users[at % len(self._users)]
            view = hold_seats(owner=Owner(user, "measured"), wish=wish)
            self.seconds.append(time.perf_counter() - started)
            release_hold(user=user, sid="measured", hold=view.hold)
            at = (at + 1) % (len(self._runs) * (SEATS - 2))
        connection.close()

    def end(self) -> None:
        self._is_over.set()
        self.join(30)


def live_holds() -> int:
    store = holds_store()
    due: list[int] = []
    for shard in range(keys.SHARDS):
        found: Any = store.zrange(keys.due(shard), 0, -1)
        due += map(int, found)
    pipe = store.pipeline(transaction=False)
    for departure in due:
        pipe.zcard(keys.of(departure, "live"))
    return sum(pipe.execute())


def forget_audit() -> None:
    """Entries are Celery's to ship; nobody ships here."""
    holds_store().delete(*(keys.audit(shard) for shard in range(keys.SHARDS)))


def memory() -> int:
    info: Any = holds_store().info("memory")
    return int(info["used_memory"])
