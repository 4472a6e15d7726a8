"""The server does what its OpenAPI document says: schemathesis, every operation, every check."""

import os
from pathlib import Path

import pytest

from tests.front.described import run
from tests.front.place import Place

# `make front` gives more: SEATLOCK_FRONT_EXAMPLES made-up requests an operation and phase,
# and SEATLOCK_FRONT_SEED another beginning.
EXAMPLES = int(os.environ.get("SEATLOCK_FRONT_EXAMPLES", "3"))
IS_SHORT = "SEATLOCK_FRONT_EXAMPLES" not in os.environ


JOURNEY = (
    *("search_departures", "lock_seats", "show_hold", "extend_hold", "release_hold"),
    *("confirm_hold", "show_booking", "cancel_booking"),
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("who", ["traveller", "staff"])
def test_server_and_description_agree(who: str, place: Place, tmp_path: Path) -> None:
    """A place of its own for each: staff closes departures, and anybody ends logins."""
    person = place.staff if who == "staff" else place.traveller
    # To a traveller these are 403, which the ownership matrix shows in less time.
    leave_out = ("Analytics", "Operations") if IS_SHORT and who == "traveller" else ()
    phases = "examples,coverage,fuzzing"
    done = run(place, person, tmp_path, examples=EXAMPLES, phases=phases, leave_out=leave_out)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]


@pytest.mark.timeout(900)
def test_links_lead_to_what_is_described(place: Place, tmp_path: Path) -> None:
    """Chains of calls that take each other's answers. How far a chain goes is up to chance, so
    that each link leads on is shown in `tests/front/test_links.py`.
    """
    done = run(place, place.traveller, tmp_path, examples=EXAMPLES, phases="stateful", only=JOURNEY)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
