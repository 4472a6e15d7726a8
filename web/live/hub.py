"""The hub: all feeds and sockets of this process, and what is done to them now and then."""

import asyncio
import logging
from collections import OrderedDict
from typing import Final

import redis
from django.conf import settings

from config import clock
from config.stores import keys
from config.stores.redis import holds_store
from web.live import metrics
from web.live.door import Wish
from web.live.ear import Ear
from web.live.feeds import Feed
from web.live.limits import Limits
from web.live.looking import in_thread
from web.live.rooms import Room
from web.live.sockets import LOGIN_ENDED, Socket

logger = logging.getLogger(__name__)

WATCH_SECONDS: Final = 1.0
LOGINS_EVERY_SECONDS: Final = 2.0
# Feeds nobody watches any more, kept so that who comes back finds where it was.
IDLE_FEEDS_KEPT: Final = 64


class Hub:
    """Everything that lives as long as the process. Lives in the event loop."""

    def __init__(self) -> None:
        self.limits = Limits()
        self.sockets: set[Socket] = set()
        self._feeds: dict[int, Feed] = {}
        self._idle: OrderedDict[int, Feed] = OrderedDict()
        self._ear = Ear(self._heard)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._ear.start()
        self._tasks = [
            asyncio.create_task(self._watch_readers()),
            asyncio.create_task(self._watch_logins()),
        ]

    async def stop(self) -> None:
        await self._ear.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def enter(self, wish: Wish) -> tuple[Feed, Room]:
        """The room somebody wants to be in. Raises what `Feed.enter` raises."""
        feed = self._feeds.get(wish.departure)
        if feed is None:
            feed = self._idle.pop(wish.departure, None) or Feed(wish.departure)
            self._feeds[wish.departure] = feed
            metrics.DEPARTURES.set(len(self._feeds))
            await self._ear.listen(wish.departure)
        try:
            return feed, await feed.enter(wish.source, wish.destination)
        except BaseException:
            await self._forget_if_idle(feed)
            raise

    async def leave(self, feed: Feed, room: Room) -> None:
        feed.leave(room)
        await self._forget_if_idle(feed)

    async def _forget_if_idle(self, feed: Feed) -> None:
        if feed.is_watched or self._feeds.get(feed.departure) is not feed:
            return
        del self._feeds[feed.departure]
        metrics.DEPARTURES.set(len(self._feeds))
        if feed.rooms:
            self._idle[feed.departure] = feed
        while len(self._idle) > IDLE_FEEDS_KEPT:
            self._idle.popitem(last=False)
        await self._ear.ignore(feed.departure)

    def _heard(self, departure: int, at_ms: int) -> None:
        feed = self._feeds.get(departure)
        if feed is not None:
            feed.changed(at_ms)

    async def _watch_readers(self) -> None:
        """Cut off who has not taken a message for LIVE_SLOW_SECONDS."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            too_long_ago = loop.time() - settings.ENV.live_slow_seconds
            for socket in list(self.sockets):
                since = socket.sending_since
                if since is not None and since < too_long_ago:
                    socket.drop()

    async def _watch_logins(self) -> None:
        """Close the sockets of logins that were ended, and those whose token ran out."""
        while True:
            await asyncio.sleep(LOGINS_EVERY_SECONDS)
            now = clock.now().timestamp()
            for socket in list(self.sockets):
                if socket.token_ends_at is not None and socket.token_ends_at <= now:
                    socket.close(LOGIN_ENDED)
            sids = sorted({socket.sid for socket in self.sockets if socket.sid is not None})
            if not sids:
                continue
            try:
                ended = await in_thread(_ended, sids)
            except redis.RedisError:
                continue  # asked again in a moment; what is shown is no secret
            for socket in list(self.sockets):
                if socket.sid in ended:
                    socket.close(LOGIN_ENDED)


def _ended(sids: list[str]) -> frozenset[str]:
    """Which of these logins are marked as ended."""
    marks = holds_store().mget([keys.ended(0, sid) for sid in sids])
    return frozenset(sid for sid, mark in zip(sids, marks, strict=True) if mark is not None)
