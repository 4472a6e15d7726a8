"""P2, P3: while a hold lives nobody else holds or books its seat-legs; all seats or none."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from config.stores.redis import holds_store
from reservations.holds import store
from reservations.holds.ids import read
from reservations.services.expire_holds import expire_holds
from reservations.services.refresh_image import load_image, refresh_departure
from tests.engine import Traveller
from tests.promises.guards import scripts_without
from tests.reservations.test_hold_seats import wish
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

Time = Callable[[float], AbstractContextManager[None]]

NEVER_TAKEN = ("  return taken\nend", "  return false\nend")
ZREM_IGNORED = ("if redis.call('ZREM', zset, member) ~= 1 then return false end",
                "redis.call('ZREM', zset, member)")  # fmt: skip


def lock(traveller: Traveller, departure: Departure, *seats: str) -> int:
    return int(traveller.post("reservations/lock/", wish(departure, *seats)).status_code)


def live_owners(departure: Departure, label: str) -> list[int]:
    (image,) = store.read_images([departure.id], members=True)
    return sorted(member.user for member in image.members if label in member.labels)


def forget_image(departure: Departure) -> None:
    """An operator deleted the image; the members are still there."""
    shard = departure.id % 64
    names = [f"{{{shard}}}:{what}:{departure.id}" for what in ("image", "held", "sold")]
    holds_store().delete(*names)


def test_p2_a_held_seat_is_held_by_one(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    assert (lock(anna, departure, "S1-1"), lock(bela, departure, "S1-1")) == (201, 409)
    assert live_owners(departure, "S1-1") == [anna.user.id]


def test_p2_without_the_overlap_test_two_hold_one_seat(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    with scripts_without(*NEVER_TAKEN):
        assert (lock(anna, departure, "S1-1"), lock(bela, departure, "S1-1")) == (201, 201)
    assert live_owners(departure, "S1-1") == sorted([anna.user.id, bela.user.id])


def test_rule_1_a_late_end_of_a_hold_does_not_free_the_next_ones_seat(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    """Free, late and twice: the second finds its member gone and does nothing."""
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    anna.delete(f"reservations/holds/{hold}/")
    assert lock(bela, departure, "S1-1") == 201
    store.free(read(hold), "expired")
    anna.delete(f"reservations/holds/{hold}/")
    assert lock(anna, departure, "S1-1") == 409


def test_rule_1_without_the_answer_of_zrem_a_late_sweep_frees_a_seat_twice(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    """Two sweeps read the same over-due member; between their ends a rival locks the seat.

        sweep 1   reads ....... ends it
        sweep 2   reads ................................ ends it again: clears bela's bits
        bela                             lock

    The second end is the script's own code, given a member that is gone.
    """
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    find = "local member, zset = find(ARGV[1], ARGV[2])\nif not member then return {'gone'} end"
    (image,) = store.read_images([departure.id], members=True)
    assert image.members[0].hold == hold
    text = holds_store().zrange(f"{{{departure.id % 64}}}:live:{departure.id}", 0, -1)[0]
    assert isinstance(text, bytes)
    remembered = f"local member, zset = '{text.decode()}', LIVE"
    anna.delete(f"reservations/holds/{hold}/")
    assert lock(bela, departure, "S1-1") == 201

    with scripts_without(find, remembered):
        store.free(read(hold), "expired")
        assert lock(anna, departure, "S1-1") == 409
        with scripts_without(*ZREM_IGNORED):
            store.free(read(hold), "expired")
    assert lock(anna, departure, "S1-1") == 201
    assert live_owners(departure, "S1-1") == sorted([anna.user.id, bela.user.id])


def test_rule_7_an_image_loaded_again_has_the_held_bits_of_its_members(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    lock(anna, departure, "S1-1")
    forget_image(departure)
    assert lock(bela, departure, "S1-1") == 409


def test_rule_7_without_the_members_a_loaded_image_gives_a_held_seat_away(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    lock(anna, departure, "S1-1")
    forget_image(departure)
    with scripts_without("if parsed then set_bits(HELD, parsed) end", ""):
        assert lock(bela, departure, "S1-1") == 201
    assert live_owners(departure, "S1-1") == sorted([anna.user.id, bela.user.id])


def test_rule_4_more_expired_holds_than_one_script_reaps_are_all_over(
    anna: Traveller, bela: Traveller, departure: Departure, time_passes: Time
) -> None:
    """The bound set to 1: the scripts answer `again` until all are reaped."""
    for seat in ("S1-1", "S1-2", "S1-3"):
        lock(anna, departure, seat)
    with scripts_without("local REAP_BOUND = 25", "local REAP_BOUND = 1"), time_passes(181):
        assert lock(bela, departure, "S1-1", "S1-2", "S1-3") == 201
        assert expire_holds().pins == 0


def test_a_member_no_script_can_read_is_set_aside(
    anna: Traveller, departure: Departure, time_passes: Time
) -> None:
    load_image(departure=departure.id)
    shard = departure.id % 64
    holds_store().zadd(f"{{{shard}}}:live:{departure.id}", {"nonsense": 1})
    assert lock(anna, departure, "S1-1") == 201
    assert holds_store().lrange(f"{{{shard}}}:odd", 0, -1) == [b"nonsense"]


def test_refreshing_a_departure_keeps_its_holds(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    lock(anna, departure, "S1-1")
    refresh_departure(departure=departure.id)
    assert lock(bela, departure, "S1-1") == 409
