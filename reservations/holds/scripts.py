"""The Lua scripts: found, joined with what they include, loaded, run, and their keys named."""

import hashlib
import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, Final

import redis
import redis.exceptions

from config.stores import keys
from config.stores.lines import Command
from config.stores.redis import holds_store, served

# More would keep everybody else waiting, and a caller longer than it may wait.
PIPELINED: Final = 256
DEPARTURES_REMEMBERED: Final = 4_096
LUA: Final = Path(__file__).parent / "lua"
Call = tuple[Sequence[str], Sequence[Any]]
"""KEYS and ARGV of one run of a script."""
Instead = Callable[[Call], Call]
"""Makes of a call what is called once a try of it was lost on its way, and may still arrive."""
_INCLUDE: Final = re.compile(r"^-- @include (\w+)$", re.MULTILINE)


class Outcome(StrEnum):
    """The first word of a script's answer; each script's header says which it gives."""

    HELD = "held"
    EXTENDED = "extended"
    RELEASED = "released"
    PINNED = "pinned"
    FREED = "freed"
    SEEN = "seen"
    DONE = "done"
    DROPPED = "dropped"
    BUSY = "busy"
    AGAIN = "again"
    GONE = "gone"
    ENDED = "ended"
    LOAD = "load"
    LOADED = "loaded"
    REPLAN = "replan"
    NOT_ON_SALE = "not-on-sale"
    LIMIT = "limit"
    TAKEN = "taken"
    STALE = "stale"
    SHORT = "short"
    OVERDUE = "overdue"


def source(name: str, replaced: dict[str, str] | None = None) -> str:
    """A script's full text. `replaced` swaps an included part for another (tests: the clock)."""
    parts = replaced or {}

    def part(match: re.Match[str]) -> str:
        included = match.group(1)
        return parts.get(included) or (LUA / "lib" / f"{included}.lua").read_text()

    return _INCLUDE.sub(part, (LUA / f"{name}.lua").read_text())


def _the_same(call: Call) -> Call:
    return call


class Script:
    """One script, run by its hash; a server that does not know it is told the text, once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.use(source(name))

    def use(self, text: str) -> None:
        """Run this text from now on (tests put a movable clock into it)."""
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, key_names: Sequence[str], *arguments: Any) -> Any:
        """Run it. Raises `redis.ConnectionError` or `TimeoutError` if the store is away."""
        return self.tried((key_names, arguments))

    def tried(self, call: Call, instead: Instead = _the_same) -> Any:
        """Run it; once a try was lost with its connection, what `instead` makes of it."""

        def command(verb: str, what: str) -> Sequence[Command]:
            key_names, arguments = call
            return ((verb, what, len(key_names), *key_names, *arguments),)

        def again(verb: str, what: str) -> Sequence[Command]:
            nonlocal call
            call = instead(call)
            return command(verb, what)

        def ask(verb: str, what: str) -> Any:
            return holds_store().ask(command(verb, what), partial(again, verb, what))[0]

        try:
            return ask("EVALSHA", self.sha)
        except redis.exceptions.NoScriptError:
            return ask("EVAL", self.text)

    def many(self, calls: Sequence[Call], instead: Instead = _the_same) -> list[Any]:
        """Run it for several departures, in one round trip for up to PIPELINED of them."""
        parts = range(0, len(calls), PIPELINED)
        return [
            answer for at in parts for answer in self._many(calls[at : at + PIPELINED], instead)
        ]

    def _many(self, calls: Sequence[Call], instead: Instead) -> list[Any]:
        if len(calls) == 1:
            (call,) = calls
            return [self.tried(call, instead)]

        def again() -> list[Command]:
            return self._commands(list(map(instead, calls)))

        answers = holds_store().ask(self._commands(calls), again)
        if any(isinstance(answer, redis.exceptions.NoScriptError) for answer in answers):
            # On the same connection as the calls: no restart can come in between.
            load = ("SCRIPT", "LOAD", self.text)
            _, *answers = holds_store().ask([load, *again()], lambda: [load, *again()])
        return served(answers)

    def _commands(self, calls: Sequence[Call]) -> list[Command]:
        return [
            ("EVALSHA", self.sha, len(key_names), *key_names, *arguments)
            for key_names, arguments in calls
        ]


@cache
def script(name: str) -> Script:
    """The script of that name, one object a process."""
    return Script(name)


@lru_cache(maxsize=DEPARTURES_REMEMBERED)
def departure_keys(departure: int) -> tuple[str, ...]:
    """KEYS 1-10 of every hold script, in the order of `lua/lib/hold.lua`."""
    shard = keys.shard(departure)
    return (
        keys.of(departure, "live"),
        keys.of(departure, "confirming"),
        keys.due(shard),
        keys.of(departure, "held"),
        keys.of(departure, "sold"),
        keys.of(departure, "image"),
        keys.of(departure, "fence"),
        keys.era(shard),
        keys.audit(shard),
        keys.odd(shard),
    )
