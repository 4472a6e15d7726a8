"""The guards of the engine, each as the change that leaves it out; twins ask for them by name.

`tests.race.test_every_guard_has_a_twin` holds this table against the tests: a guard without a test
that has seen the bad thing is a failure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from config.idempotency import claims
from reservations.bookings import tombstone
from reservations.holds import ids
from reservations.services import refresh_image

Edits = tuple[tuple[str, str], ...]
_NO_REAP: Final = ("if reap() then return {'again'} end", "")


@dataclass(frozen=True, kw_only=True)
class Guard:
    """One guard. `lua`, `sql`: text in scripts or statements, and what stands there without it;
    `python`: module and function, called as `instead(real, *args)`. `lost`: what then happens.
    """

    name: str
    lost: str
    lua: Edits = ()
    sql: Edits = ()
    python: tuple[Any, str] | None = None
    instead: Callable[..., Any] = lambda real, *args, **kwargs: real(*args, **kwargs)


def _whoever_asks(real: Callable[..., Any], hold: str, user: int) -> Any:
    del real, user
    return ids.read(hold)


def _as_if_all_were_seen(real: Callable[..., Any], seen: Any, *seats: Any) -> Any:
    return real(np.full_like(seen, 2**32 - 1), *seats)


def _accept_any_fingerprint(real: Callable[..., Any], **claim: Any) -> None:
    del real, claim


_ALL: Final = (
    Guard(
        name="overlap",
        lost="two hold one seat",
        lua=(("  return taken\nend", "  return false\nend"),),
    ),
    Guard(
        name="every-leg",
        lost="two hold one seat where their stretches overlap",
        lua=(("(2 ^ high - 2 ^ low) % 4294967296", "2 ^ low"),),
    ),
    Guard(
        name="sold-bits",
        lost="a sold seat is held by another",
        lua=(("bit.bor(read_word(HELD, at), read_word(SOLD, at))", "read_word(HELD, at)"),),
    ),
    Guard(
        name="all-or-none",
        lost="a refused hold keeps seats that nobody holds",
        lua=(
            (
                "if is_taken(tonumber(ordinal), from, to) then taken[#taken + 1] = label end",
                (
                    "if is_taken(tonumber(ordinal), from, to) then taken[#taken + 1] = label else "
                    "set_bits(HELD, {ordinals = {tonumber(ordinal)}, from = from, to = to}) end"
                ),
            ),
        ),
    ),
    Guard(
        name="release-pinned",
        lost="a seat is another's while its confirm commits",
        lua=(
            (
                (
                    "if zset == CONFIRMING then return {'pinned'} end\n"
                    "local parsed = parse(member)\n"
                    "unhold(LIVE, parsed, member)"
                ),
                "local parsed = parse(member)\nunhold(zset, parsed, member)",
            ),
        ),
    ),
    Guard(
        name="pin-never-back",
        lost="a confirm shortens its hold",
        lua=(("math.max(score, pin_until_ms)", "pin_until_ms"),),
    ),
    Guard(
        name="pin-lasts",
        lost="a hold ends while its confirm runs",
        lua=(("math.max(score, pin_until_ms)", "score"),),
    ),
    Guard(
        name="deadline",
        lost="a hold that is over is extended or confirmed",
        lua=(_NO_REAP,),
    ),
    Guard(
        name="extend-moves-score",
        lost="a hold ends before the deadline its owner was told",
        lua=(("redis.call('ZADD', LIVE, 'XX', whole(deadline_ms), member)\n", ""),),
    ),
    Guard(
        name="asks-by-writing",
        lost="a booking commits under another's hold",
        sql=(
            (
                tombstone._BURY,
                (
                    "SELECT id, hold, status FROM reservations_booking"
                    " WHERE hold = ANY(%(holds)s) AND %(departures)s::bigint[] IS NOT NULL"
                ),
            ),
        ),
    ),
    Guard(
        name="zrem",
        lost="a second end of a hold frees the next one's seat",
        lua=(
            (
                "if redis.call('ZREM', zset, member) ~= 1 then return false end",
                "redis.call('ZREM', zset, member)",
            ),
        ),
    ),
    Guard(
        name="free-finds",
        lost="nothing yet: the answer of ZREM is the same guard once more",
        lua=(
            # As if it had read its member before another ended it: the test has written it down.
            (
                (
                    "local member, zset = find(ARGV[1], ARGV[2])\n"
                    "if not member then return {'gone'} end\n"
                    "local parsed = parse(member)\nunhold(zset, parsed, member)"
                ),
                (
                    "local member = redis.call('GET', TAG .. ':remembered')\n"
                    "local parsed = parse(member)\nunhold(CONFIRMING, parsed, member)"
                ),
            ),
        ),
    ),
    Guard(
        name="epoch",
        lost="rows read before a change overwrite the bits made after it",
        lua=(("if image[2] ~= ARGV[1] then", "if false then"),),
    ),
    Guard(
        name="only-bits-seen",
        lost="a seat sold during a refresh is shown as free",
        python=(refresh_image, "_only"),
        instead=_as_if_all_were_seen,
    ),
    Guard(
        name="members-rebuilt",
        lost="an image loaded anew gives a held seat away",
        lua=(("if parsed then set_bits(HELD, parsed) end", ""),),
    ),
    Guard(
        name="settle",
        lost="a seat sold while its image is loaded is shown as free",
        lua=(("if words and set_bits(SOLD, parsed) then", "if false then"),),
    ),
    Guard(
        name="unique-hold",
        lost="a hold is booked twice",
        sql=(
            ("    ON CONFLICT (hold) DO NOTHING\n", ""),
            # The name of the fact would still refuse it.
            ("SELECT hold || ':confirmed',", "SELECT hold || pnr || ':confirmed',"),
        ),
    ),
    Guard(
        name="seats-in-order",
        lost="two confirms of the same seats wait for each other",
        sql=(("     ORDER BY wanted.departure, each.seat\n", ""),),
    ),
    Guard(
        name="cancel-locks-its-row",
        lost="a booking is cancelled, and refunded, twice",
        sql=((" FOR UPDATE", ""),),
    ),
    Guard(
        name="one-request-a-key",
        lost="another request gets the first one's answer",
        python=(claims, "claim"),
        instead=_accept_any_fingerprint,
    ),
    Guard(
        name="owner",
        lost="a stranger ends or confirms my hold",
        python=(ids, "read_own"),
        instead=_whoever_asks,
    ),
)
GUARDS: Final = {guard.name: guard for guard in _ALL}
