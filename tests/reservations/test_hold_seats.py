"""Lock, extend, release, list: what a hold is and who may move it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.stores.redis import holds_store
from reservations.holds import ids
from reservations.services import hold_seats
from reservations.services.choose_seats import SeatWish
from reservations.services.hold_seats import Owner
from tests.availability import railway
from tests.engine import Traveller
from tests.lossy import LossyWay
from trains.models import Departure

pytestmark = pytest.mark.django_db


def wish(departure: Departure, *seats: str, **fields: Any) -> dict[str, Any]:
    body = {"departure": departure.id, "source": "AAA", "destination": "EEE", **fields}
    return {**body, "seats": list(seats)} if seats else body


def test_a_lock_answers_with_every_field_of_the_contract(
    anna: Traveller, departure: Departure
) -> None:
    answer = anna.post("reservations/lock/", wish(departure, "S1-1", "S1-2"))
    assert answer.status_code == 201, answer.content
    hold = answer.json()
    assert hold["seats"] == ["S1-1", "S1-2"]
    assert hold["status"] == "held"
    assert (hold["departure"], hold["source"], hold["destination"]) == (departure.id, "AAA", "EEE")
    assert hold["expires_in_seconds"] == 180
    assert hold["fare"]["currency"] == "INR"
    assert isinstance(hold["fare"]["amount"], str)
    assert hold["fence"] > 10**15
    assert hold["expires_at"].endswith("Z")
    assert hold["server_time"] < hold["expires_at"]
    assert hold["capability"]


def test_a_hold_that_is_over_has_no_seconds_left(anna: Traveller, departure: Departure) -> None:
    asked = SeatWish(departure=departure.pk, source="AAA", destination="EEE", count=1)
    view = hold_seats.hold_seats(owner=Owner(anna.user.pk, anna.sid), wish=asked)
    for late_seconds in (0, 1):
        seen_at = view.expires_at + timedelta(seconds=late_seconds)
        assert replace(view, server_time=seen_at).expires_in_seconds == 0


def test_a_hold_is_seen_with_redis_cli(anna: Traveller, departure: Departure) -> None:
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    store = holds_store()
    shard = departure.id % 64
    seat_key = f"{{{shard}}}:seat:{departure.id}:S1-1:0-4"
    assert store.get(seat_key) == hold.encode()
    assert 179_000 < store.pttl(seat_key) <= 180_000
    shown = store.hgetall(f"{{{shard}}}:hold:{departure.id}:{hold}")
    assert shown[b"seats"] == b"S1-1"
    assert shown[b"user"] == str(anna.user.id).encode()


def test_rule_9_a_lost_try_that_arrives_late_finds_the_answer_of_the_request(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The try in its place was told to load the image; the one after that took the seat."""
    way = LossyWay(monkeypatch)
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    assert anna.delete(f"reservations/holds/{hold}/").status_code == 204
    way.arrive()
    assert anna.get("reservations/holds/").json()["results"] == []


def test_a_held_seat_is_refused_with_its_name_and_suggestions(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    anna.post("reservations/lock/", wish(departure, "S1-1"))
    refused = bela.post("reservations/lock/", wish(departure, "S1-1", "S1-2"))
    assert refused.status_code == 409
    problem = refused.json()
    assert problem["code"] == "seat-unavailable"
    assert problem["seats"] == ["S1-1"]
    assert problem["suggestions"]
    assert "S1-1" not in problem["suggestions"]
    assert bela.get("reservations/holds/").json()["count"] == 0


def test_the_same_seat_is_held_on_stretches_that_only_touch(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    first = anna.post("reservations/lock/", wish(departure, "S1-1", destination="CCC"))
    second = bela.post("reservations/lock/", wish(departure, "S1-1", source="CCC"))
    overlapping = bela.post(
        "reservations/lock/", wish(departure, "S1-1", source="BBB", destination="DDD")
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert overlapping.status_code == 409


def test_seats_together_are_given_side_by_side(anna: Traveller, departure: Departure) -> None:
    answer = anna.post("reservations/lock/", wish(departure, travel_class="CC", count=2))
    assert answer.status_code == 201, answer.content
    first, second = (int(seat.removeprefix("C1-")) for seat in answer.json()["seats"])
    assert second - first == 1


def test_too_few_free_seats_are_said_with_their_number(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    assert (
        anna.post("reservations/lock/", wish(departure, travel_class="CC", count=6)).status_code
        == 201
    )
    refused = bela.post("reservations/lock/", wish(departure, travel_class="CC", count=3))
    assert refused.status_code == 409
    assert refused.json()["code"] == "not-enough-seats"
    assert refused.json()["free"] == 2


@pytest.mark.usefixtures("empty_redis")
def test_a_train_without_coaches_has_no_seat_to_give(anna: Traveller) -> None:
    empty = railway.departure(railway.train(coaches=()))
    refused = anna.post("reservations/lock/", wish(empty, destination="DDD", count=1))
    assert refused.status_code == 409, refused.content
    assert (refused.json()["code"], refused.json()["free"]) == ("not-enough-seats", 0)


def test_seats_taken_between_the_look_and_the_lock_are_looked_for_again(
    anna: Traveller, bela: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any six of eight that follow each other have the third; it goes when they are ranked."""
    rivals: list[Any] = []

    def rival_first(*arguments: Any) -> Any:
        monkeypatch.undo()
        rivals.append(bela.post("reservations/lock/", wish(departure, "C1-3")))
        return hold_seats.lock_request(*arguments)

    monkeypatch.setattr(hold_seats, "lock_request", rival_first)
    held = anna.post("reservations/lock/", wish(departure, travel_class="CC", count=6))
    assert [rivals[0].status_code, held.status_code] == [201, 201]
    assert len(set(held.json()["seats"]) - {"C1-3"}) == 6


def test_a_lock_makes_no_sql_query_once_the_image_is_loaded(
    anna: Traveller, departure: Departure
) -> None:
    anna.post("reservations/lock/", wish(departure, "S1-1"))
    with CaptureQueriesContext(connection) as queries:
        named = anna.post("reservations/lock/", wish(departure, "S1-2"))
        ranked = anna.post("reservations/lock/", wish(departure, travel_class="CC", count=2))
    assert (named.status_code, ranked.status_code) == (201, 201)
    assert [query["sql"] for query in queries.captured_queries] == []


def test_an_extended_hold_lives_on_up_to_the_cap(
    anna: Traveller, departure: Departure, time_passes: Any
) -> None:
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()
    path = f"reservations/holds/{hold['hold']}/extend/"
    with time_passes(170):
        extended = anna.post(path)
        assert extended.status_code == 200
        assert extended.json()["expires_at"] > hold["expires_at"]
        assert extended.json()["capability"] != hold["capability"]
        with time_passes(170):
            assert anna.post(path).status_code == 200
            with time_passes(170):
                last = anna.post(path).json()
                assert last["expires_in_seconds"] < 100
                refused = anna.post(path)
                assert refused.status_code == 422
                assert refused.json()["code"] == "limit-reached"


def test_a_released_seat_is_free_at_once_and_releasing_again_is_harmless(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    assert anna.delete(f"reservations/holds/{hold}/").status_code == 204
    assert bela.post("reservations/lock/", wish(departure, "S1-1")).status_code == 201
    assert anna.delete(f"reservations/holds/{hold}/").status_code == 204
    assert bela.get("reservations/holds/").json()["count"] == 1


def test_p6_a_hold_of_another_looks_absent(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    assert bela.get(f"reservations/holds/{hold}/").status_code == 404
    assert bela.post(f"reservations/holds/{hold}/extend/").status_code == 404
    assert bela.delete(f"reservations/holds/{hold}/").status_code == 404
    assert bela.post("reservations/confirm/", {"hold": hold}).status_code == 404
    assert anna.get(f"reservations/holds/{hold}/").status_code == 200


def test_of_several_holds_the_one_that_was_asked_for_is_shown(
    anna: Traveller, departure: Departure
) -> None:
    seats = ("S1-1", "S1-2", "S1-3")
    locks = [anna.post("reservations/lock/", wish(departure, seat)).json() for seat in seats]
    for lock, seat in zip(locks, seats, strict=True):
        shown = anna.get(f"reservations/holds/{lock['hold']}/").json()
        assert (shown["hold"], shown["seats"]) == (lock["hold"], [seat])
    anna.delete(f"reservations/holds/{locks[0]['hold']}/")
    assert anna.get(f"reservations/holds/{locks[0]['hold']}/").status_code == 410


def test_live_holds_on_one_departure_are_limited(anna: Traveller, departure: Departure) -> None:
    for seat in ("S1-1", "S1-2", "S1-3"):
        assert anna.post("reservations/lock/", wish(departure, seat)).status_code == 201
    refused = anna.post("reservations/lock/", wish(departure, "S1-4"))
    assert refused.status_code == 422
    assert refused.json()["limit"] == 3


def test_fences_grow_also_when_redis_lost_its_memory(anna: Traveller, departure: Departure) -> None:
    first = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["fence"]
    second = anna.post("reservations/lock/", wish(departure, "S1-2")).json()["fence"]
    holds_store().flushall()
    third = anna.post("reservations/lock/", wish(departure, "S1-3")).json()["fence"]
    assert first < second < third


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"seats": ["S1-99"]}, 400, "invalid"),
        ({"seats": ["S1-1", "S1-1"]}, 400, "invalid"),
        ({"seats": [], "count": 0}, 400, "invalid"),
        ({"seats": ["S1-1"], "count": 2}, 400, "invalid"),
        ({"seats": [f"S1-{n}" for n in range(1, 9)]}, 422, "limit-reached"),
        ({"source": "EEE", "destination": "AAA"}, 400, "invalid"),
        ({"source": "ZZZ"}, 400, "invalid"),
        ({"departure": 2**40}, 404, "not-found"),
        ({"departure": 2**63}, 400, "invalid"),
        ({"departure": "one"}, 400, "invalid"),
        ({"travel_class": "ZZ", "seats": [], "count": 1}, 400, "invalid"),
        ({"colour": "red"}, 400, "invalid"),
        ({"source": "A\0A"}, 400, "invalid"),
    ],
)
def test_a_wrong_lock_is_refused_and_changes_nothing(
    anna: Traveller, departure: Departure, change: dict[str, Any], status: int, code: str
) -> None:
    answer = anna.post("reservations/lock/", {**wish(departure, "S1-1"), **change})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert anna.get("reservations/holds/").json()["count"] == 0


def test_a_made_up_hold_id_is_not_found(anna: Traveller, departure: Departure) -> None:
    good = ids.mint(departure=departure.id, user=anna.user.id)
    forged = ("B" if good[20] != "B" else "C").join((good[:20], good[21:]))
    assert anna.get(f"reservations/holds/{forged}/").status_code == 404
    assert anna.get(f"reservations/holds/{good}/").status_code == 410
    assert anna.delete("reservations/holds/nonsense/").status_code == 404
