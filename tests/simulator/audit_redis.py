"""After each command: is what lies in Redis a state the rules allow, and the step a legal one?"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from django.conf import settings

from config.stores import keys
from reservations.holds.members import Member, parse
from tests.simulator.broken import must
from tests.simulator.memory_loss import Losses
from tests.simulator.redis_server import Server
from tests.simulator.redis_types import Zset
from tests.simulator.world import World

# Which script may take a member out before its time, and which may put one in.
_ENDS: Final = frozenset({"release", "free", "refresh_begin"})


@dataclass
class Seen:
    """One departure as it was after the last command."""

    live: dict[bytes, float] = field(default_factory=dict)
    confirming: dict[bytes, float] = field(default_factory=dict)
    fence: int = 0


@lru_cache(maxsize=20_000)
def member_of(text: bytes) -> Member:
    return parse(text, 0)


class RedisAudit:
    """Members, bits, pins, deadlines and fences; facts are collected on the way."""

    def __init__(self, world: World, server: Server, losses: Losses) -> None:
        self._world = world
        self._server = server
        self._losses = losses
        self._seen = {departure: Seen() for departure in world.departures}
        self._streams: dict[int, tuple[int, int]] = dict.fromkeys(world.departures, (0, 0))
        self.sold_rows: dict[int, dict[str, int]] = {each: {} for each in world.departures}
        self.past_redis: set[str] = set()
        self.facts: dict[str, dict[str, str]] = {}
        self.members: dict[str, Member] = {}

    def memory_changed(self) -> None:
        """Redis lost its memory or went back: what is there now is where it begins again."""
        for departure, seen in self._seen.items():
            live, confirming = self._zsets(departure)
            seen.live, seen.confirming = dict(live), dict(confirming)
            self._streams[departure] = (0, 0)
            self._collect_facts(departure)

    def check(self, script: str) -> None:
        """Called after every script that ran."""
        self._losses.look_at_clock()
        for departure in self._world.departures:
            self._check(departure, script)

    def zset(self, departure: int, what: str) -> Zset:
        found: Zset = self._server.memory.data.get(_key(departure, what)) or Zset()
        return found

    def mask(self, member: bytes) -> int:
        found = member_of(member)
        return World.mask(found.ordinals, found.from_stop, found.to_stop)

    def image(self, departure: int) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = self._server.memory.data.get(_key(departure, "image")) or {}
        return found

    def bits(self, departure: int, what: str) -> int:
        return int.from_bytes(self._server.memory.data.get(_key(departure, what)) or b"", "little")

    def _zsets(self, departure: int) -> tuple[Zset, Zset]:
        return self.zset(departure, "live"), self.zset(departure, "confirming")

    def _check(self, departure: int, script: str) -> None:
        seen = self._seen[departure]
        live, confirming = self._zsets(departure)
        if live != seen.live or confirming != seen.confirming:
            self._check_members(departure, live, confirming)
            self._check_moves(departure, script, live, confirming)
            seen.live, seen.confirming = dict(live), dict(confirming)
        self._check_bits(departure)
        self._collect_facts(departure)
        must(_key(departure, "odd") not in self._server.memory.data, "rule 3", "an odd member")

    def _check_members(self, departure: int, live: Zset, confirming: Zset) -> None:
        taken = 0
        holds = set()
        for member in (*live, *confirming):
            mask, hold = self.mask(member), member_of(member).hold
            must(not taken & mask, "P2", f"two holds of one seat-leg on {departure}: {member!r}")
            must(hold not in holds, "rule 1", f"{hold} is there twice")
            taken |= mask
            holds.add(hold)
            self.members[hold] = member_of(member)
            if not self._losses.lost_memory:
                self._check_not_sold(departure, hold, mask)

    def is_pinned(self, hold: str, departure: int) -> bool:
        return any(member_of(each).hold == hold for each in self.zset(departure, "confirming"))

    def is_unburied(self, hold: str, departure: int) -> bool:
        return hold.encode() in self.zset(departure, "unburied")

    def _check_not_sold(self, departure: int, hold: str, mask: int) -> None:
        for owner, row in self.sold_rows[departure].items():
            asleep = owner in self.past_redis
            must(
                owner == hold or asleep or not row & mask, "P2", f"{hold} holds what {owner} booked"
            )

    def _check_moves(self, departure: int, script: str, live: Zset, confirming: Zset) -> None:
        seen, now_ms = self._seen[departure], self._server.memory.clock() // 1000
        for member, score in seen.live.items():
            if member in confirming:
                must(score > now_ms, "P7", f"a hold that was over was pinned: {member!r}")
            elif member not in live:
                ended = score <= now_ms or script in _ENDS
                must(ended, "P2", f"{script} ended a hold before its deadline: {member!r}")
        for member, score in seen.confirming.items():
            must(member not in live, "rule 5", f"a pin went back: {member!r}")
            later = confirming.get(member)
            if later is None:
                must(script in _ENDS, "rule 5", f"{script} ended a pin: {member!r}")
            else:
                must(later >= score, "rule 5", f"a pin's deadline went back: {member!r}")
        for member in confirming.keys() - seen.confirming.keys() - seen.live.keys():
            forgot = self._losses.lost_memory
            must(forgot, "rule 10", f"{script} took a hold again: {member!r}")
        for member, score in live.items():
            self._check_live(departure, script, member, score)

    def _check_live(self, departure: int, script: str, member: bytes, score: float) -> None:
        seen, found = self._seen[departure], member_of(member)
        before = seen.live.get(member)
        if before is None:
            must(script == "lock", "rule 1", f"{script} made a hold: {member!r}")
            excused = self._losses.lost_memory and self._losses.clock_went_back
            must(found.fence > seen.fence or excused, "P2", f"a fence did not grow: {member!r}")
            seen.fence = max(seen.fence, found.fence)
            must(
                len(set(found.ordinals)) == len(found.labels),
                "P3",
                f"seats are missing: {member!r}",
            )
        elif score != before:
            must(script == "extend", "rule 2", f"{script} moved a deadline: {member!r}")
        cap_ms = found.taken_at_ms + settings.ENV.hold_max_total_seconds * 1000
        must(score <= cap_ms, "P7", f"a hold lives longer than its cap: {member!r}")

    def _check_bits(self, departure: int) -> None:
        if b"loaded" not in self.image(departure):
            return
        held, sold = self.bits(departure, "held"), self.bits(departure, "sold")
        expected = 0
        for zset in self._zsets(departure):
            for member in zset:
                expected |= self.mask(member)
        must(held == expected, "rule 1", f"held bits of {departure} are not those of its members")
        if not self._losses.lost_memory:
            for hold, row in self.sold_rows[departure].items():
                shown = not row & ~(held | sold)
                must(
                    shown or hold in self.past_redis, "rule 7", f"what {hold} booked shows as free"
                )

    def _collect_facts(self, departure: int) -> None:
        """New entries of the shard's stream, each fact as it was first."""
        stream: Any = self._server.memory.data.get(_key(departure, "audit"))
        if stream is None or stream.last == self._streams[departure]:
            return
        for at, fields in stream.entries.items():
            if at > self._streams[departure]:
                pairs = zip(fields[::2], fields[1::2], strict=True)
                fact = {name.decode(): value.decode() for name, value in pairs}
                must(
                    fact["id"] not in self.facts or self._losses.lost_memory,
                    "P8",
                    f"the fact {fact['id']} happened twice",
                )
                self.facts.setdefault(fact["id"], fact)
        self._streams[departure] = stream.last


@lru_cache(maxsize=1_000)
def _key(departure: int, what: str) -> bytes:
    if what in {"audit", "odd", "unburied"}:
        return f"{keys.tag(keys.shard(departure))}:{what}".encode()
    return keys.of(departure, what).encode()
