"""A feed: one departure that somebody watches. It looks when it is told to, and tells its rooms.

    ear: changed --> dirty --> one look (a thread) --> every room --> pause --> dirty? ...

A look is the seat map's own: one script in Redis, or rows of PostgreSQL while Redis is away.
However many changes come, a departure is looked at once a pause, and the pause is half as long as
its sockets took to be served, so that a third of the loop's time is left for others.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseError

from config.errors import SeatlockError
from reservations.availability.plans import Stretch
from web.live import metrics
from web.live.looking import Look, in_thread, look
from web.live.rooms import Room

logger = logging.getLogger(__name__)

BATCH_SECONDS: Final = 0.05
BATCH_SECONDS_MAX: Final = 1.0
STALE_RETRY_SECONDS: Final = 1.0
# For who comes back: rooms of stretches that nobody watches now.
EMPTY_ROOMS_KEPT: Final = 16


class Feed:
    """One departure and its rooms, as long as a socket is in one. Lives in the event loop."""

    def __init__(self, departure: int) -> None:
        self.departure = departure
        self.rooms: dict[Stretch, Room] = {}
        self._dirty = asyncio.Event()
        self._seen: Look | None = None
        self._seen_from = 0.0
        self._looking = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._changed_at_ms = 0
        self._entering = 0

    @property
    def is_watched(self) -> bool:
        return bool(self._entering) or any(room.sockets for room in self.rooms.values())

    def changed(self, at_ms: int = 0) -> None:
        """Somebody said (at this moment of Redis's clock) that there is something to see."""
        if at_ms and not self._changed_at_ms:
            self._changed_at_ms = at_ms
        self._dirty.set()

    async def enter(self, source: str, destination: str) -> Room:
        """The room of a stretch, up to date, with one socket more in it.

        Raises `NotFound`, `Invalid` (no such stretch), or what `look` raises.
        """
        self._entering += 1
        try:
            await self._look(only_if=self._is_behind)
        finally:
            self._entering -= 1
        assert self._seen is not None  # noqa: S101  # it has just been looked
        plan, state = self._seen
        stops = plan.train.stops
        stretch = plan.stretch(source or stops[0].code, destination or stops[-1].code)
        room = self.rooms.setdefault(stretch, Room(self.departure, stretch))
        room.advance(plan, state)
        room.sockets += 1
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return room

    def leave(self, room: Room) -> None:
        room.sockets -= 1
        empty = [stretch for stretch, each in self.rooms.items() if not each.sockets]
        for stretch in empty[:-EMPTY_ROOMS_KEPT]:
            del self.rooms[stretch]
        if not self.is_watched and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        """Look when something changed, and now and then when nothing did."""
        loop = asyncio.get_running_loop()
        beat_seconds = settings.ENV.live_heartbeat_seconds
        beats_at = loop.time() + beat_seconds
        while True:
            stale = self._seen is not None and self._seen[1].stale
            until = min(beats_at, loop.time() + STALE_RETRY_SECONDS) if stale else beats_at
            try:
                async with asyncio.timeout_at(until):
                    await self._dirty.wait()
            except TimeoutError:
                pass
            await self._look_or_wait()
            began = loop.time()
            self._tell_rooms()
            if began >= beats_at:
                beats_at = began + beat_seconds
                for room in self._watched():
                    room.beat()
            # The sockets' own tasks come next; behind them it is known how long they took.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            served_seconds = loop.time() - began
            await asyncio.sleep(min(max(BATCH_SECONDS, served_seconds / 2), BATCH_SECONDS_MAX))

    async def _look_or_wait(self) -> None:
        try:
            await self._look()
        except Exception as error:  # whatever it is: watchers must not wait for ever
            is_foreseen = isinstance(error, SeatlockError | DatabaseError)
            logger.warning(
                "departure %s could not be looked at: %s",
                self.departure,
                error,
                exc_info=not is_foreseen,
            )
            for room in self._watched():
                room.lose_sight()
            self._dirty.set()
            await asyncio.sleep(STALE_RETRY_SECONDS)

    async def _look(self, only_if: Callable[[], bool] | None = None) -> None:
        """One look at a time: who waited may find that it needs none any more."""
        async with self._looking:
            if only_if is not None and not only_if():
                return
            self._dirty.clear()
            began = asyncio.get_running_loop().time()
            self._seen = await in_thread(look, self.departure)
            self._seen_from = began
            metrics.LOOKS.inc()

    def _is_behind(self) -> bool:
        """Nobody has looked since there were watchers, or a hold ended since the last look."""
        if self._seen is None or self._task is None:
            return True
        _, state = self._seen
        passed_ms = (asyncio.get_running_loop().time() - self._seen_from) * 1000
        now_ms = state.as_of.timestamp() * 1000 + passed_ms
        return any(not each.pinned and each.deadline_ms <= now_ms for each in state.members)

    def _tell_rooms(self) -> None:
        if self._seen is None:
            return
        plan, state = self._seen
        told = sum(room.advance(plan, state) for room in self._watched())
        if told and self._changed_at_ms:
            behind_ms = state.as_of.timestamp() * 1000 - self._changed_at_ms
            metrics.DELAY.observe(max(0.0, behind_ms / 1000))
        self._changed_at_ms = 0

    def _watched(self) -> list[Room]:
        return [room for room in self.rooms.values() if room.sockets]
