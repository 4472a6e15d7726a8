"""KEYS and ARGV of the scripts that are run for one hold (`store`) and for many (`batches`)."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.conf import settings

from config.stores import keys
from reservations.holds.capabilities import Capability
from reservations.holds.ids import HoldRef
from reservations.holds.scripts import Call, departure_keys

ANSWER_KEPT_MS: Final = 24 * 3600 * 1000
MARK_BYTES: Final = 8


def new_mark() -> str:
    """A random mark, of what begins: an era, an epoch, a timetable."""
    return secrets.token_hex(MARK_BYTES)


@dataclass(frozen=True, kw_only=True)
class LockRequest:
    """What `lock` needs. Times in ms since the epoch; `groups` are candidates in order of
    preference, each `fare o=label,…`; `fact_body` is a JSON object without its last brace.
    """

    hold: str
    user: int
    sid: str
    departure: int
    from_stop: int
    to_stop: int
    revision: str
    opens_at_ms: int
    leaves_at_ms: int
    fact_body: str
    groups: Sequence[str]
    ttl_seconds: int | None = None
    holds_limit: int | None = None


LockMode = Literal["named", "ranked", "short", "offer"]


def lock_call(request: LockRequest, *, mode: LockMode, keep_answer: bool) -> Call:
    """KEYS and ARGV of the lock script."""
    shard = keys.shard(request.departure)
    env = settings.ENV
    ttl_seconds = request.ttl_seconds or env.hold_ttl_seconds
    key_names = (
        *departure_keys(request.departure),
        keys.ended(shard, request.sid),
        keys.answer(shard, request.hold),
    )
    return key_names, (
        request.hold,
        request.user,
        request.from_stop,
        request.to_stop,
        ttl_seconds * 1000,
        env.hold_max_per_user if request.holds_limit is None else request.holds_limit,
        request.revision,
        request.opens_at_ms,
        request.leaves_at_ms,
        new_mark(),
        ANSWER_KEPT_MS if keep_answer else 0,
        request.fact_body,
        mode,
        *request.groups,
    )


def with_answer_kept(call: Call) -> Call:
    """The same call of the lock script, whose answer is kept."""
    key_names, arguments = call
    return key_names, (*arguments[:10], ANSWER_KEPT_MS, *arguments[11:])


@dataclass
class Keeping:
    """Whether the answer of one lock is kept for 24 hours, so that a repeat with its hold id gets
    it again; and always once a try was lost: it may arrive when the hold is over.
    """

    answer: bool = False

    def from_now_on(self, call: Call) -> Call:
        """Instead of this call of the lock script, a try of which was lost."""
        self.answer = True
        return with_answer_kept(call)


def pin_call(ref: HoldRef, sid: str, capability: Capability | None) -> Call:
    """KEYS and ARGV of the pin script."""
    key_names = (*departure_keys(ref.departure), keys.ended(keys.shard(ref.departure), sid))
    told: Sequence[Any] = ("", "", "")
    if capability:
        told = (capability.era, capability.deadline_ms, capability.member)
    return key_names, (ref.hold, ref.user, settings.ENV.pin_seconds * 1000, new_mark(), *told)


def settle_call(ref: HoldRef) -> Call:
    """KEYS and ARGV of step a of refresh, alone."""
    return departure_keys(ref.departure), (ref.hold, ref.user, "none", new_mark())
