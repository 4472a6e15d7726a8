"""The client of the holds' store (REDIS_URL): one pool a process, bytes in and out.

Promises: a call ends within its time (`config.stores.timing`), and while the store does not answer
(`config.stores.breaker`) it ends at once. What counts as away, and is then `redis.ConnectionError`
or `TimeoutError` for the caller:

| the store | the caller gets | counts for the breaker |
|---|---|---|
| cannot be reached, is frozen, breaks off | `ConnectionError`, `TimeoutError` | yes: it costs |
| says LOADING, READONLY, MASTERDOWN, BUSY, MISCONF, … | `HoldsStoreAway` | no: it answers |
| says OOM (full: it evicts nothing) | `OutOfMemoryError` | no: releasing and confirming go on |
| says NOSCRIPT | the script's text is sent | no |
"""

import logging
import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, Final, TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import AuthenticationError, BusyLoadingError, ReadOnlyError, ResponseError
from redis.retry import Retry

from config.stores import timing
from config.stores.breaker import Breaker, Limits, Pass, State
from config.stores.lines import Again, Command, Lines
from config.stores.watch import Watch

logger = logging.getLogger(__name__)

T = TypeVar("T")

_WORDS: Final = "READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|BUSY|UNKILLABLE|MISCONF"
_NOT_NOW: Final = re.compile(rf"(?:^|error: )(?:{_WORDS})\b")


class HoldsStoreAway(redis.ConnectionError):
    """The store is left alone for a moment, or it answers that it cannot serve now."""


# Redis cannot be asked: not a word about what it would have said.
AWAY: Final = (redis.ConnectionError, redis.TimeoutError)


class HoldsStore(redis.Redis):
    """redis-py's client, each of its calls timed and behind the breaker."""

    def __init__(self, pool: redis.ConnectionPool) -> None:
        super().__init__(connection_pool=pool)
        pool.connection_class = timing.timed(pool.connection_class)
        env = settings.ENV
        rest = env.redis_breaker_seconds
        self._watch = Watch(logger, store="redis", setting="REDIS_URL", rest_seconds=rest)
        limits = Limits(failures=env.redis_breaker_failures, open_seconds=rest)
        self.breaker = Breaker(limits, self._watch)
        self._lines = Lines(pool)

    def execute_command(self, *arguments: Any, **options: Any) -> Any:
        return self.guarded(partial(super().execute_command, *arguments, **options))

    def ask(self, commands: Sequence[Command], again: Again | None = None) -> list[Any]:
        """Commands that may be repeated (as `again` says), in one round trip by this thread's own
        connection; what the server refuses is an answer, a `ResponseError` (one by itself is
        raised).
        """
        return self.guarded(partial(self._ask, commands, again))

    def _ask(self, commands: Sequence[Command], again: Again | None) -> list[Any]:
        answers = self._lines.ask(commands, again)
        if len(answers) == 1 and isinstance(answers[0], ResponseError):
            raise answers[0]
        return answers

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return _GuardedPipeline(self, transaction, shard_hint)

    def guarded(self, call: Callable[[], T]) -> T:
        """Make a call, if the store is not known to be away. Raises `HoldsStoreAway`."""
        if timing.has_waited_enough():
            raise HoldsStoreAway("Redis did not answer this request before")
        passed = self.breaker.ask()
        if passed is Pass.NO:
            raise HoldsStoreAway("Redis does not answer, it is asked again in a moment")
        if passed is Pass.TRIAL:
            # A question that cannot be long, so that nobody's long call decides for all.
            ping = partial(super().execute_command, "PING")
            self._attempt(ping, settings.ENV.redis_timeout_seconds, Pass.TRIAL)
        return self._attempt(call, timing.allowed_seconds(), Pass.CALL)

    def _attempt(self, call: Callable[[], T], seconds: float, passed: Pass) -> T:
        try:
            with timing.Within(seconds):
                answer = call()
        except (BusyLoadingError, AuthenticationError, ResponseError) as refusal:
            self.breaker.succeeded(passed)
            self._explain(refusal)
            raise
        except BaseException as error:
            self._watch.last_error = str(error)
            if isinstance(error, AWAY) or passed is Pass.TRIAL:
                self.breaker.failed(passed)
            if isinstance(error, AWAY):
                timing.say_failed()
            raise
        self.breaker.succeeded(passed)
        return answer

    def _explain(self, refusal: Exception) -> None:
        """Raise `HoldsStoreAway` for a server that answers, but cannot serve now."""
        if isinstance(refusal, ReadOnlyError):
            # It was the primary: behind the same name there may be another by now.
            self.connection_pool.disconnect(inuse_connections=False)
            self._lines.drop()
        if cannot_serve(refusal):
            raise HoldsStoreAway(str(refusal)) from refusal


class _GuardedPipeline(Pipeline):
    def __init__(self, store: HoldsStore, transaction: bool, shard_hint: str | None) -> None:
        super().__init__(store.connection_pool, store.response_callbacks, transaction, shard_hint)
        self._store = store

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        return self._store.guarded(partial(super().execute, raise_on_error))

    def immediate_execute_command(self, *arguments: Any, **options: Any) -> Any:
        """WATCH, and what is read between it and MULTI."""
        return self._store.guarded(
            partial(super().immediate_execute_command, *arguments, **options)
        )


def cannot_serve(answer: Exception) -> bool:
    """Does this answer mean that the server is there and cannot serve now?"""
    code = getattr(answer, "status_code", None) or ""
    return isinstance(answer, BusyLoadingError) or bool(_NOT_NOW.search(f"{code} {answer}".strip()))


def served(answers: list[Any]) -> list[Any]:
    """The answers of `HoldsStore.ask`, if all are such. Raises the first refusal among them."""
    for answer in answers:
        if isinstance(answer, Exception):
            raise HoldsStoreAway(str(answer)) if cannot_serve(answer) else answer
    return answers


@cache
def holds_store() -> HoldsStore:
    """The primary that holds live in, with this process's breaker.

    One immediate retry, which a connection that died in the pool needs (never after a time-out);
    every script is safe to repeat. The pool has no bound, so nobody waits for a connection.
    """
    pool = redis.ConnectionPool.from_url(
        settings.ENV.redis_url,
        retry=Retry(NoBackoff(), 1, (redis.ConnectionError,)),
        protocol=2,
        driver_info=None,
    )
    return HoldsStore(pool)


def breaker_state() -> State:
    """Of this process."""
    return holds_store().breaker.state


def as_bytes(value: object) -> bytes | None:
    """What a read command gave: bytes, or None for a key that is not there."""
    assert value is None or isinstance(value, bytes), value  # noqa: S101  # the pool decodes nothing
    return value
