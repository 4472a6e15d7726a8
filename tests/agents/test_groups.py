"""Groups: up to sixty seats in one call, of whatever coaches, all or none."""

from typing import Any

import pytest

from config.outbox.models import OutboxEvent
from config.stores.redis import holds_store
from reservations.bookings.insert import Verdict
from reservations.models import BookedSeat, Booking
from reservations.services import book_group, confirm_booking
from reservations.services.hold_seats import Owner
from tests.agents.conftest import Machine, MakeMachine
from tests.engine import Traveller
from tests.invariants import assert_invariants
from trains.models import Departure
from users.customers import HEADER

pytestmark = pytest.mark.django_db


@pytest.fixture
def group(long_train: Departure) -> dict[str, Any]:
    return {
        "departure": long_train.pk,
        "source": "AAA",
        "destination": "DDD",
        "travel_class": "SL",
        "count": 60,
    }


def live_holds(who: Machine) -> int:
    count: int = who.get("reservations/holds/").json()["count"]
    return count


def test_sixty_seats_over_three_coaches(
    machine: Machine, customer: str, group: dict[str, Any]
) -> None:
    people: list[dict[str, Any]]
    people = [{"name": f"Traveller {n}", "age": 4 + n} for n in range(60)]
    answer = machine.post(
        "reservations/groups/", {**group, "passengers": people}, **{HEADER: customer}
    )
    assert answer.status_code == 201, answer.content
    booked = answer.json()
    assert len(set(booked["seats"])) == 60
    assert {seat.split("-")[0] for seat in booked["seats"]} == {"S1", "S2", "S3"}
    assert sorted(p["name"] for p in booked["passengers"]) == sorted(p["name"] for p in people)
    assert BookedSeat.objects.filter(live=True).count() == 60
    assert live_holds(machine) == 0


def test_sixty_one_are_too_many_and_travellers_have_six(
    machine: Machine, anna: Traveller, controller: Traveller, group: dict[str, Any]
) -> None:
    for count, who, path, status in (
        (61, machine, "groups", 422),
        (7, anna, "lock", 422),
        (7, anna, "groups", 403),
        (60, machine, "lock", 201),
        (4, controller, "groups", 201),
    ):
        answer = who.post(f"reservations/{path}/", {**group, "count": count})
        assert answer.status_code == status, (count, path, answer.content)
        if status == 422:
            assert answer.json()["limit"] in {6, 60}


def test_a_hold_of_sixty_with_passengers_is_confirmed_by_its_capability(
    machine: Machine, group: dict[str, Any]
) -> None:
    """The capability carries sixty seats and fares; it must not outgrow what confirm takes."""
    people = [{"name": f"Traveller {n}", "age": n + 1} for n in range(60)]
    held = machine.post("reservations/lock/", {**group, "passengers": people})
    assert held.status_code == 201, held.content
    said = {"hold": held.json()["hold"], "capability": held.json()["capability"]}
    answer = machine.post("reservations/confirm/", said)
    assert answer.status_code == 201, answer.content


def test_one_seat_too_few_and_nothing_is_held_or_booked(
    machine: Machine, anna: Traveller, group: dict[str, Any]
) -> None:
    wish = {**group, "count": 5}
    assert anna.post("reservations/lock/", wish).status_code == 201
    answer = machine.post("reservations/groups/", group)
    assert (answer.status_code, answer.json()["free"]) == (409, 59)
    assert live_holds(machine) == 0
    assert not Booking.objects.exists()


def test_named_seats_one_taken_and_nothing_is_held_or_booked(
    machine: Machine, anna: Traveller, group: dict[str, Any]
) -> None:
    seats = [f"S2-{n}" for n in range(1, 21)]
    named = {name: group[name] for name in ("departure", "source", "destination")}
    assert anna.post("reservations/lock/", {**named, "seats": ["S2-7"]}).status_code == 201
    answer = machine.post("reservations/groups/", {**named, "seats": seats})
    assert (answer.status_code, answer.json()["seats"]) == (409, ["S2-7"])
    assert live_holds(machine) == 0
    assert not Booking.objects.exists()


def test_postgresql_refuses_one_seat_and_all_are_free_again(
    machine: Machine, group: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image was wrong: between hold and booking the database says no."""
    monkeypatch.setattr(confirm_booking, "write_booking", lambda _: Verdict.SEAT_TAKEN)
    answer = machine.post("reservations/groups/", group)
    assert (answer.status_code, answer.json()["code"]) == (409, "seat-already-booked")
    assert live_holds(machine) == 0
    monkeypatch.undo()
    assert machine.post("reservations/groups/", group).status_code == 201


def test_names_that_redis_lost_in_between_are_not_needed(
    machine: Machine, group: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [{"name": f"Traveller {n}"} for n in range(60)]

    def lost(**asked: Any) -> Any:
        holds_store().delete(*holds_store().keys("*:people:*"))
        return confirm_booking.confirm_booking(**asked)

    monkeypatch.setattr(book_group, "confirm_booking", lost)
    answer = machine.post("reservations/groups/", {**group, "passengers": people})
    assert answer.status_code == 201, answer.content
    named = [row.passenger["name"] for row in BookedSeat.objects.all() if row.passenger]
    assert sorted(named) == sorted(each["name"] for each in people)


def test_a_request_sent_again_is_the_same_booking(machine: Machine, group: dict[str, Any]) -> None:
    key = {"Idempotency-Key": "party-of-sixty"}
    first = machine.post("reservations/groups/", group, **key)
    again = machine.post("reservations/groups/", group, **key)
    assert first.status_code == 201, first.content
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert Booking.objects.count() == 1
    other = machine.post("reservations/groups/", {**group, "count": 2}, **key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    locked = machine.post("reservations/lock/", group, **key)
    assert locked.status_code == 422


def test_a_crash_between_hold_and_booking_and_the_same_request_again(
    machine: Machine, group: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"Idempotency-Key": "party-of-sixty"}

    class Killed(BaseException):
        pass

    def killed(**_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(book_group, "confirm_booking", killed)
        with pytest.raises(Killed):
            machine.post("reservations/groups/", group, **key)
    assert live_holds(machine) == 1
    again = machine.post("reservations/groups/", group, **key)
    assert again.status_code == 201, again.content
    assert len(again.json()["seats"]) == 60
    assert live_holds(machine) == 0
    assert Booking.objects.count() == 1


def test_the_fact_of_a_group_names_who_acted(
    machine: Machine, acme: Traveller, customer: str, group: dict[str, Any]
) -> None:
    machine.post("reservations/groups/", {**group, "count": 3}, **{HEADER: customer})
    body = OutboxEvent.objects.get(kind="booking.confirmed").body
    assert (body["actor"], body["key"]) == (acme.user.pk, machine.prefix)
    assert Owner(1, "x").acting == {}


def test_two_groups_that_do_not_both_fit(
    machine: Machine, machine_of: MakeMachine, bela: Traveller, group: dict[str, Any]
) -> None:
    half = {**group, "count": 40}
    said = [who.post("reservations/groups/", half) for who in (machine, machine_of(bela))]
    assert [answer.status_code for answer in said] == [201, 409]
    assert BookedSeat.objects.filter(live=True).count() == 40
    assert_invariants(group["departure"])
