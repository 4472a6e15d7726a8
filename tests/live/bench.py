"""`python -m tests.live.bench`: many sockets on one departure, and how late they see a change.

A change is a hold taken or given back through the very script that does it for travellers; its
moment is taken before the script is called. Everything runs on this machine: stores, live process,
the clients and who makes the changes.
"""

import asyncio
import json
import os
import random
import sys
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psutil

from tests.live.sockets import open_sockets

SOCKETS = int(os.environ.get("SOCKETS") or 2000)
SECONDS = float(os.environ.get("SECONDS") or 20)
RATES = tuple(float(rate) for rate in (os.environ.get("RATES") or "5,20,100").split(","))
P95_SECONDS = 0.250


@dataclass
class Watch:
    """When each change was made, and how late each socket saw it."""

    made: dict[tuple[str, str], float] = field(default_factory=dict)
    late_seconds: list[float] = field(default_factory=list)
    _known: dict[bytes, list[float]] = field(default_factory=dict)

    def hear(self, payload: bytes, at: float) -> None:
        moments = self._known.get(payload)
        if moments is None:
            message = json.loads(payload)
            changes = message.get("changes", ())
            keys = [(each["seat"], each["status"]) for each in changes]
            moments = self._known[payload] = [self.made[key] for key in keys if key in self.made]
        self.late_seconds += [at - moment for moment in moments]


def main() -> int:
    os.environ.update(THROTTLES="off", LOG_LEVEL="WARNING", LIVE_MAX_SOCKETS="20000")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tests.bench.world import Size, make_world
    from tests.live.server import live_server

    world = make_world(Size(trains=1, days=4, travellers=1, with_password=1))
    (run,) = world.take(1)
    changes = Changes(run.id)
    with live_server() as live:
        assert live.process is not None
        report = asyncio.run(_measure(live.port, live.process.pid, changes))
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    slowest = max(each["p95_ms"] for each in report["rates"])
    return 0 if slowest < P95_SECONDS * 1000 else 1


async def _measure(port: int, pid: int, changes: "Changes") -> dict[str, Any]:
    path = f"/ws/departures/{changes.departure}/"
    process = psutil.Process(pid)
    watch = Watch()
    # What the first socket costs is the process's: modules, plans, the first snapshot.
    await open_sockets(1, path=path, port=port, hear=watch.hear)
    before = process.memory_info().rss
    began = time.monotonic()
    clients = await open_sockets(SOCKETS, path=path, port=port, hear=watch.hear)
    opened_seconds = time.monotonic() - began
    rates = [await _at_rate(rate, watch, process, changes) for rate in RATES]
    assert not any(client.closed for client in clients)
    return {
        "sockets": SOCKETS,
        "opened_seconds": round(opened_seconds, 2),
        "kilobytes_per_socket": round((process.memory_info().rss - before) / SOCKETS / 1024, 1),
        "rates": rates,
    }


async def _at_rate(
    rate: float, watch: Watch, process: psutil.Process, changes: "Changes"
) -> dict[str, Any]:
    """So many changes a second, evenly at random, for SECONDS."""
    watch.late_seconds.clear()
    changes.count = 0
    ourselves = psutil.Process()
    used_before = sum(process.cpu_times()[:2])
    we_used_before = sum(ourselves.cpu_times()[:2])
    loop = asyncio.get_running_loop()
    began = time.monotonic()
    while (now := time.monotonic()) < began + SECONDS:
        key, call = changes.next()
        watch.made[key] = time.monotonic()
        await loop.run_in_executor(None, call)
        pause = random.expovariate(rate)
        await asyncio.sleep(max(0.0, now + pause - time.monotonic()))
    took = time.monotonic() - began
    await asyncio.sleep(1.5)
    late = sorted(watch.late_seconds)
    seen = len(late) / (SOCKETS + 1)
    return {
        "changes_a_second": round(changes.count / took, 1),
        "changes": changes.count,
        "seen_by_a_socket": round(seen, 1),
        "p50_ms": _ms(late, 0.50),
        "p95_ms": _ms(late, 0.95),
        "p99_ms": _ms(late, 0.99),
        "max_ms": round(late[-1] * 1000, 1),
        "cpu_percent": round(100 * (sum(process.cpu_times()[:2]) - used_before) / took),
        "clients_cpu_percent": round(
            100 * (sum(ourselves.cpu_times()[:2]) - we_used_before) / took
        ),
        "load": round(os.getloadavg()[0], 1),
    }


def _ms(ordered: list[float], share: float) -> float:
    return round(ordered[int(share * (len(ordered) - 1))] * 1000, 1)


class Changes:
    """Holds taken and given back, one seat each, by the scripts."""

    def __init__(self, departure: int) -> None:
        from reservations.availability.plans import plan_of

        self.departure = departure
        self._plan = plan_of(departure)
        self._free = list(range(self._plan.train.places))
        random.shuffle(self._free)
        self._held: list[tuple[Any, str, int]] = []
        self._user = 1_000_000
        self.count = 0

    def next(self) -> tuple[tuple[str, str], Any]:
        """What is about to be seen, (seat, status), and the call that makes it so."""
        self.count += 1
        if len(self._held) > 200:
            ref, label, ordinal = self._held.pop(0)
            self._free.append(ordinal)
            return (label, "free"), lambda: self._release(ref)
        ordinal = self._free.pop(0)
        label = self._plan.train.labels[ordinal]
        return (label, "held"), lambda: self._lock(ordinal, label)

    def _lock(self, ordinal: int, label: str) -> None:
        from config import clock
        from reservations.holds import ids, store
        from reservations.holds.ids import HoldRef

        self._user += 1
        plan = self._plan
        hold = ids.mint(departure=plan.departure, user=self._user)
        now = clock.now()
        answer = store.lock(
            store.LockRequest(
                hold=hold,
                user=self._user,
                sid="bench",
                departure=plan.departure,
                from_stop=0,
                to_stop=plan.train.legs,
                revision=plan.revision,
                opens_at_ms=0,
                leaves_at_ms=int((now + timedelta(days=1)).timestamp() * 1000),
                fact_body='{"train":"bench"',
                groups=[f"100.00 {ordinal}={label}"],
            )
        )
        assert answer.held is not None, answer
        self._held.append((HoldRef(hold, plan.departure, self._user), label, ordinal))

    @staticmethod
    def _release(ref: Any) -> None:
        from reservations.holds import store

        store.release(ref, "bench", "{}")


if __name__ == "__main__":
    sys.exit(main())
