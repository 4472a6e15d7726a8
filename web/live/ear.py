"""The ear: one connection to Redis on which the scripts say which departures changed.

Promises: after every interruption each watched departure is looked at again, so that nothing that
was said meanwhile is missed. Relies on: nothing else; a word that is lost costs a heartbeat.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

import redis.asyncio
from django.conf import settings
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from config.stores import keys
from web.live import metrics

logger = logging.getLogger(__name__)

# Always heard, so that there is a subscription also when nobody watches anything.
QUIET: Final = "live:quiet"
SILENCE_SECONDS: Final = 2.0
RETRY_SECONDS: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
Hear = Callable[[int, int], None]


class Ear:
    """Hears the departures it was told to; `hear(departure, at_ms)` is called in the loop, with
    `at_ms` 0 when it only may have changed.
    """

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._wanted: dict[str, int] = {}
        self._pubsub: PubSub | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def listen(self, departure: int) -> None:
        """Hear this one, too: `hear` is called when Redis has begun to tell, and at each change."""
        channel = keys.watched(departure)
        self._wanted[channel] = departure
        await self._say("subscribe", channel)

    async def ignore(self, departure: int) -> None:
        channel = keys.watched(departure)
        self._wanted.pop(channel, None)
        await self._say("unsubscribe", channel)

    async def _say(self, word: str, channel: str) -> None:
        if self._pubsub is None:
            return  # all that is wanted is subscribed to when Redis is back
        try:
            await getattr(self._pubsub, word)(channel)
        except (redis.RedisError, OSError):
            logger.debug("%s %s: Redis is away", word, channel)

    async def _run(self) -> None:
        failures = 0
        while True:
            client = redis.asyncio.Redis.from_url(
                settings.ENV.redis_url,
                protocol=2,
                retry=Retry(NoBackoff(), 0),
                socket_connect_timeout=SILENCE_SECONDS,
                socket_timeout=None,
            )
            try:
                async with client, client.pubsub() as pubsub:
                    await pubsub.subscribe(QUIET, *self._wanted)
                    self._pubsub = pubsub
                    failures = 0
                    metrics.CONNECTED.set(1)
                    await self._listen(pubsub)
            except Exception as error:  # noqa: BLE001  # an ear that ended hears nothing
                self._pubsub = None
                metrics.CONNECTED.set(0)
                if failures == 0:
                    logger.warning("changes are not heard, Redis is away: %s", error)
                    for departure in list(self._wanted.values()):
                        self._hear(departure, 0)  # looks by itself from now on until it is back
            await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
            failures += 1

    async def _listen(self, pubsub: PubSub) -> None:
        """Until the connection breaks, or answers nothing to a PING."""
        asked = False
        while True:
            message: dict[str, Any] | None = await pubsub.get_message(timeout=SILENCE_SECONDS)
            if message is None:
                if asked:
                    raise redis.ConnectionError("no answer to PING")
                await pubsub.ping()
                asked = True
                continue
            asked = False
            departure = self._wanted.get(_text(message["channel"]))
            if departure is None:
                continue
            if message["type"] == "message":
                self._hear(departure, int(message["data"]))
            elif message["type"] == "subscribe":
                self._hear(departure, 0)  # it may have changed before we were heard


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
