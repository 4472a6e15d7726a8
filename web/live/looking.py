"""Looking at a departure from the event loop: what waits for a store runs in a thread."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from django.db import connection

from config.stores.timing import hurried
from reservations.api.departures.seat_map import current_state
from reservations.availability.plans import Plan
from reservations.availability.seat_states import SeatState

T = TypeVar("T")
Look = tuple[Plan, SeatState]

LOOKING_THREADS: Final = 4
_threads = ThreadPoolExecutor(LOOKING_THREADS, thread_name_prefix="look")


def look(departure: int) -> Look:
    """The seats of a departure now. Raises `NotFound`. A store that is away makes the look stale;
    `SeatlockError` or `django.db.Error` if nothing at all can be said.
    """
    with hurried():
        return current_state(departure)


async def in_thread(call: Callable[..., T], *arguments: object) -> T:
    """Run something that waits for a store."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _returned, call, arguments)


def _returned(call: Callable[..., T], arguments: tuple[object, ...]) -> T:
    try:
        return call(*arguments)
    finally:
        connection.close()  # back to the pool: most looks need no SQL at all
