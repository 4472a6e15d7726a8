"""P7: a hold is over at its deadline for every reader, with no sweeper running.

Guarantor: every script that reads or writes holds reaps first, by the clock of Redis, which it
reads once (rules 3 and 4). No sweep runs in any of these tests.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

import pytest

from config.stores.redis import holds_store
from tests.engine import Traveller
from tests.promises.guards import scripts_without
from tests.promises.test_p2_holds_exclude import lock
from tests.race.guards import GUARDS
from tests.race.invariants import check
from tests.reservations.test_hold_seats import wish
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

Time = Callable[[float], AbstractContextManager[None]]
CLOCK = (
    "local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + offset_ms",
    "local now_ms = tonumber(redis.call('GET', string.match(KEYS[1], '^({%d+})') .. ':now'))",
)
NO_REAP = GUARDS["deadline"].lua[0]


def hold_of(traveller: Traveller, departure: Departure, *seats: str) -> str:
    return str(traveller.post("reservations/lock/", wish(departure, *seats)).json()["hold"])


def what_readers_say(
    owner: Traveller, staff: Traveller, departure: Departure, hold: str
) -> dict[str, object]:
    """Every call that reads a hold of S1-1, one after the other; none of them ends it."""
    seats = owner.get(f"departures/{departure.pk}/seats/").json()
    search = {
        "source": "AAA", "destination": "EEE", "date": departure.service_date.isoformat(),
    }  # fmt: skip
    (found,) = owner.get("departures/search/", **search).json()["results"]
    return {
        "shown": owner.get(f"reservations/holds/{hold}/").status_code,
        "listed": owner.get("reservations/holds/").json()["count"],
        "on the map": next(s["status"] for s in seats["seats"] if s["seat"] == "S1-1"),
        "free on the map": seats["free"],
        "free in search": found["free"],
        "at the desk": staff.get("operations/holds/").json()["count"],
    }


def everybody_says(*, alive: bool) -> dict[str, object]:
    return {
        "shown": 200 if alive else 410,
        "listed": 1 if alive else 0,
        "on the map": "mine" if alive else "free",
        "free on the map": 15 if alive else 16,
        "free in search": 15 if alive else 16,
        "at the desk": 1 if alive else 0,
    }


def test_p7_every_reader_sees_a_hold_until_its_deadline_and_not_after(
    anna: Traveller, controller: Traveller, departure: Departure, time_passes: Time
) -> None:
    hold = hold_of(anna, departure, "S1-1")
    with time_passes(175):
        assert what_readers_say(anna, controller, departure, hold) == everybody_says(alive=True)
    with time_passes(181):
        assert what_readers_say(anna, controller, departure, hold) == everybody_says(alive=False)


def test_p7_without_the_reap_readers_go_on_seeing_it(
    anna: Traveller, controller: Traveller, departure: Departure, time_passes: Time
) -> None:
    hold = hold_of(anna, departure, "S1-1")
    with time_passes(181), scripts_without(*NO_REAP):
        assert what_readers_say(anna, controller, departure, hold) == everybody_says(alive=True)


@pytest.mark.parametrize(
    ("act", "refused", "unguarded"),
    [("extend", 410, 200), ("confirm", 410, 201), ("rival", 201, 409)],
)
@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "unguarded"])
def test_p7_no_call_takes_a_hold_that_is_over_for_one_that_lives(
    anna: Traveller, bela: Traveller, departure: Departure, time_passes: Time,
    *, act: str, refused: int, unguarded: int, guarded: bool,
) -> None:  # fmt: skip
    """With the guard and without it: extended and booked after its end, in a rival's way."""
    hold = hold_of(anna, departure, "S1-1")
    with time_passes(181), ExitStack() as stack:
        if not guarded:
            stack.enter_context(scripts_without(*NO_REAP))
        if act == "extend":
            status = anna.post(f"reservations/holds/{hold}/extend/").status_code
        elif act == "confirm":
            status = anna.post("reservations/confirm/", {"hold": hold}).status_code
        else:
            status = lock(bela, departure, "S1-1")
    assert status == (refused if guarded else unguarded)


def test_p7_the_deadline_itself_is_over(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    """To the millisecond, on a clock that stands: at its deadline a hold is over (rule 2)."""
    shard = f"{{{departure.pk % 64}}}"
    seconds, _ = holds_store().time()
    now_ms = int(seconds) * 1000

    def set_clock(ms: int) -> None:
        holds_store().set(f"{shard}:now", ms)

    with scripts_without(*CLOCK):
        set_clock(now_ms)
        assert lock(anna, departure, "S1-1") == 201
        set_clock(now_ms + 179_999)
        assert lock(bela, departure, "S1-1") == 409
        set_clock(now_ms + 180_000)
        assert lock(bela, departure, "S1-1") == 201


def test_p7_many_holds_are_over_at_once_however_few_a_script_may_reap(
    anna: Traveller, bela: Traveller, departure: Departure, time_passes: Time
) -> None:
    for seat in ("S1-1", "S1-2", "S1-3"):
        lock(anna, departure, seat)
    with scripts_without("local REAP_BOUND = 25", "local REAP_BOUND = 1"), time_passes(181):
        assert lock(bela, departure, "S1-1", "S1-2", "S1-3") == 201
        check(departure, holds=1)


def test_p7_a_script_that_decided_before_all_are_reaped_would_refuse_free_seats(
    anna: Traveller, bela: Traveller, departure: Departure, time_passes: Time
) -> None:
    """The guard off: `again` is not answered (rule 4)."""
    for seat in ("S1-1", "S1-2", "S1-3"):
        lock(anna, departure, seat)
    with (
        time_passes(181),
        scripts_without("local REAP_BOUND = 25", "local REAP_BOUND = 1"),
        scripts_without("if reap() then return {'again'} end", "reap()"),
    ):
        assert lock(bela, departure, "S1-1", "S1-2", "S1-3") == 409
