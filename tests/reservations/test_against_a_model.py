"""The engine against a model of seat-legs in plain Python, step by step, in random order.

The model (`model.py`) predicts every answer; after each step the seat image must have exactly the
bits of the live holds and bookings (`machine.py`; `travellers.py` and `misfortunes.py` are its
rules). MODEL_EXAMPLES=3000 lives 3,000 lives instead of 60.
"""

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.availability import railway
from tests.promises.guards import scripts_without
from tests.reservations.machine import LEGS, SEATS
from tests.reservations.misfortunes import Misfortunes
from tests.reservations.travellers import Travellers
from users.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]


class Engine(Travellers, Misfortunes):
    """Lock, extend, release, confirm, cancel; time, sweeps, deaths and repeats in between."""


@pytest.fixture
def railway_of_the_model(
    time_passes: object, empty_redis: None, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`time_passes` puts the movable clock into the scripts."""
    stops = tuple(f"S{stop:02}" for stop in range(LEGS + 1))
    Engine.train = railway.train(stops=stops, coaches=(("A1", "SL", SEATS),), leg_seconds=600)
    Engine.chance = np.random.default_rng(0)
    monkeypatch.setattr(np.random, "default_rng", lambda: Engine.chance)
    Engine.users = tuple(
        User.objects.create_user(f"model{n}", f"model{n}@example.org").pk for n in range(3)
    )


def live(*, examples: int, **others: Any) -> None:
    run_state_machine_as_test(
        Engine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            **others,
        ),
    )


def test_the_engine_answers_as_the_model_does(railway_of_the_model: None) -> None:
    live(examples=int(os.environ.get("MODEL_EXAMPLES", "60")))


@pytest.mark.parametrize(
    "guard",
    [
        ("  return taken\nend", "  return false\nend"),
        ("if words then clear_bits(HELD, parsed) end", ""),
        ("if parsed then set_bits(HELD, parsed) end", ""),
        ("if words and set_bits(SOLD, parsed) then", "if false then"),
        ("bit.bor(bit.band(word, bit.bnot(clear)), set)", "bit.bor(word, set)"),
        ("for word = math.floor(from / 32), math.floor((to - 1) / 32) do",
         "for word = 0, 0 do"),
        ("'-inf', whole(now_ms), 'LIMIT', 0, REAP_BOUND + 1", "'-inf', 0, 'LIMIT', 0, 1"),
        ("local until_ms = math.max(score, pin_until_ms)", "local until_ms = pin_until_ms"),
        ("if zset == CONFIRMING then return {'pinned'} end", ""),
        ("if zset == LIVE then redis.call('ZREM', LIVE, member) end", ""),
        ("if known[2] then return cjson.decode(known[2]) end", ""),
        ("if redis.call('ZREM', zset, member) ~= 1 then return false end", ""),
        ("      return {'taken'}", ""),
    ],
    ids=["overlap", "held-cleared", "members-rebuilt", "settled", "sold-cleared", "second-word",
         "reap", "pin-goes-back", "pin-is-released", "in-both-sets", "answer-forgotten",
         "member-stays", "taken-again"],
)  # fmt: skip
def test_the_model_notices_when_a_guard_is_missing(
    railway_of_the_model: None, guard: tuple[str, str]
) -> None:
    with scripts_without(*guard), pytest.raises(Exception):  # noqa: B017, PT011
        live(examples=300, phases=[Phase.generate], derandomize=True, print_blob=False)
