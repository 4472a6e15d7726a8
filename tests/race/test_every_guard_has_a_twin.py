"""Each guard of the engine has a test in which it is missing, and the bad thing is seen to happen.

A table, so that nothing is forgotten: `tests.race.guards` has the guards that twins here leave out
by name; TWINS has the rest, with the test that leaves it out in its own way.
"""

import inspect
from pathlib import Path

import pytest

from config.idempotency import services
from reservations.bookings import insert, tombstone
from reservations.holds import scripts
from reservations.services import cancel_booking
from tests.race.guards import GUARDS, Guard

TESTS = Path(__file__).parents[1]

TWINS = {
    "the exclusion constraint": "promises/test_p1_never_sold_twice.py"
    "::test_p1_without_the_constraint_the_seat_is_sold_twice",
    "one transaction for a booking": "promises/test_p3_all_or_none.py"
    "::test_p3_without_the_one_transaction_a_refused_booking_keeps_a_seat",
    "nothing is written while deciding": "promises/test_p3_all_or_none.py"
    "::test_p3_a_script_that_wrote_while_it_decides_would_keep_seats_of_a_refused_hold",
    "the key's row beside the effect": "promises/test_p5_one_effect_one_answer.py"
    "::test_p5_without_the_keys_row_a_repeat_gets_another_answer",
    "a key stands for one request": "promises/test_p5_one_effect_one_answer.py"
    "::test_p5_without_the_claim_one_key_has_two_effects",
    "every reader reaps first": "promises/test_p7_over_at_its_deadline.py"
    "::test_p7_without_the_reap_readers_go_on_seeing_it",
    "the reap answers again": "promises/test_p7_over_at_its_deadline.py"
    "::test_p7_a_script_that_decided_before_all_are_reaped_would_refuse_free_seats",
    "a deadlock is tried again": "race/test_opposite_orders.py"
    "::test_without_another_try_a_deadlock_is_all_the_client_is_told",
}


def _where_guards_stand() -> str:
    """All scripts, and the modules whose SQL the guards edit."""
    texts = [scripts.source(path.stem) for path in scripts.LUA.glob("*.lua")]
    texts += [insert._INSERT, tombstone._BURY, services._CLAIM]
    if "select_for_update" in inspect.getsource(cancel_booking):
        texts.append(" FOR UPDATE")
    return "\n".join(texts)


def _twins() -> str:
    places = [TESTS / "race", TESTS / "promises"]
    files = [path for place in places for path in place.glob("test_*.py")]
    return "\n".join(path.read_text() for path in files if path != Path(__file__))


@pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS)
def test_a_guard_stands_where_its_twin_takes_it_away(guard: Guard) -> None:
    text = _where_guards_stand()
    for old, new in (*guard.lua, *guard.sql):
        assert old in text, f"{guard.name}: there is no {old!r}"
        assert old != new
    if guard.python is not None:
        module, attribute = guard.python
        assert callable(getattr(module, attribute))


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_is_left_out_by_some_test(name: str) -> None:
    text = _twins()
    words = [word for line in text.splitlines() if "without" in line for word in line.split('"')]
    asked = {part for word in words for part in word.split()}
    assert name in asked or f'GUARDS["{name}"]' in text, f"no test runs without {name}"


@pytest.mark.parametrize("guard", TWINS)
def test_a_guard_taken_away_elsewhere_has_its_twin_there(guard: str) -> None:
    path, _, test = TWINS[guard].partition("::")
    assert f"def {test}(" in (TESTS / path).read_text(), f"{guard}: no twin {TWINS[guard]}"
