"""Everything by which a simulation takes hold of the engine, in one place.

Clocks, chance, the socket of Redis, the sink of facts and the memory of a process: the engine's
own code is not touched.
"""

import logging
import secrets
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch
from weakref import WeakKeyDictionary

import numpy as np
import redis
from django.conf import settings
from django.test import override_settings
from greenlet import getcurrent

from analytics.shipping import shipper
from config import clock
from config.idempotency import headers
from config.outbox import consumers
from config.stores import keys, lines, outage, timing, watch
from config.stores.redis import holds_store
from reservations import tasks
from reservations.availability import plans, ranking
from reservations.bookings.insert import insert_booking
from reservations.holds import ids, scripts
from reservations.services import bury_released, confirm_booking
from tests.simulator.clocks import Clocks
from tests.simulator.crossing import Crossing
from tests.simulator.mongo_sink import Sink, refuse_to_bury
from tests.simulator.redis_server import Server, SimulatedConnection
from tests.simulator.scheduler import Turn
from users import marks
from users.services import restore_marks

_CACHES: Final = (holds_store, ids._key, headers._secret, scripts.departure_keys)
_OUTAGES: Final = tuple(module._outage for module in (marks, restore_marks, bury_released))
# Fewer than in life: sweeps and shippers ask every shard, and most would be empty here.
SHARDS: Final = 4


class _PerActor:
    """`timing`'s deadline is a thread's; here each actor is one."""

    @property
    def at(self) -> float | None:
        found: float | None = getcurrent().__dict__.get("deadline_at")
        return found

    @at.setter
    def at(self, value: float | None) -> None:
        getcurrent().__dict__["deadline_at"] = value


class _OwnOfActor:
    """What is a thread's own (`threading.local`) is here each actor's."""

    def __init__(self) -> None:
        self.__dict__["_by_actor"] = WeakKeyDictionary()

    def _own(self) -> dict[str, Any]:
        own: dict[str, Any] = self._by_actor.setdefault(getcurrent(), {})
        return own

    def __getattr__(self, name: str) -> Any:
        try:
            return self._own()[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._own()[name] = value


@contextmanager
def the_world_is_simulated(
    *, seed: int, clocks: Clocks, server: Server, sink: Sink, crossing: Crossing
) -> Iterator[None]:
    """Inside, the engine lives in virtual time, and all its chance comes from the seed."""
    chance = Random(f"engine {seed}")
    generator = np.random.default_rng(chance.randrange(2**32))
    # PostgreSQL is real, and what it takes on a busy machine is no part of the story.
    update = {"throttles": "off", "hold_max_total_seconds": 300, "database_timeout_seconds": 60.0}
    env = settings.ENV.model_copy(update=update)
    time = SimpleNamespace(monotonic=clocks.monotonic, time=lambda: clocks.true / 1e6)

    def pool(_url: str, **options: Any) -> redis.ConnectionPool:
        options |= {"server": server, "crossing": crossing}
        return redis.ConnectionPool(connection_class=SimulatedConnection, **options)

    with ExitStack() as stack:
        change = stack.enter_context
        change(override_settings(ENV=env, SECRET_KEY="the same in every simulation, 32 bytes"))
        change(patch.object(keys, "SHARDS", SHARDS))
        change(patch.object(clock, "now", clocks.process))
        for module in (outage, timing, watch, tasks):
            change(patch.object(module, "time", time))
        change(patch.object(timing, "_deadline", _PerActor()))
        change(patch.object(lines, "threading", SimpleNamespace(local=_OwnOfActor)))
        change(patch.object(timing._Timed, "pack_commands", SimulatedConnection.pack_commands))
        change(patch.object(secrets, "token_bytes", chance.randbytes))
        change(patch.object(secrets, "token_hex", lambda n=16: chance.randbytes(n).hex()))
        change(patch.object(secrets, "choice", chance.choice))
        change(patch.object(secrets, "randbelow", chance.randrange))
        # Threads wait for each other there; the actors here are one thread.
        change(patch.object(confirm_booking, "write_booking", insert_booking))
        change(patch.object(restore_marks, "_turn", Turn(crossing.scheduler)))
        change(patch.object(restore_marks, "uuid4", partial(_uuid, chance)))
        change(patch.object(uuid, "uuid1", partial(_uuid, chance)))
        change(patch.object(ranking, "_chance", lambda _pid: generator))
        change(patch.object(redis.ConnectionPool, "from_url", pool))
        change(patch.object(consumers, "_consumers", _engines_consumers()))
        change(patch.object(shipper, "insert_new", sink.insert_new))
        change(patch.object(shipper, "bury", refuse_to_bury))
        logging.disable(logging.CRITICAL)
        stack.callback(logging.disable, logging.NOTSET)
        forget_the_process()
        stack.callback(forget_the_process)
        for path in scripts.LUA.glob("*.lua"):
            server.name_script(scripts.script(path.stem).text, path.stem)
        holds_store().breaker._clock = clocks.monotonic
        yield


def _engines_consumers() -> list[tuple[str, consumers.Consumer]]:
    """Without those of sub-packages that the core can do without (tickets)."""
    return [
        (prefix, consumer)
        for prefix, consumer in consumers._consumers
        if consumer.__module__.startswith("reservations.services.")
    ]


def forget_the_process() -> None:
    """What a process remembers between requests is gone."""
    for cached in _CACHES:
        cached.cache_clear()
    for each in _OUTAGES:
        each._resting_until, each._goes_on = 0.0, False
    marks._owed.clear()
    plans.forget_all()


def _uuid(chance: Random) -> uuid.UUID:
    return uuid.UUID(int=chance.getrandbits(128), version=4)
