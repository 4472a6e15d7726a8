"""Passengers: named with the lock or at confirm, priced by their concessions, seated, erased."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from config import clock
from config.outbox.models import OutboxEvent
from config.stores import keys
from config.stores.redis import holds_store
from reservations.availability import plans
from reservations.availability.berths import seat_party
from reservations.holds import ids
from reservations.models import BookedSeat
from reservations.services.erase_passengers import erase_passengers
from tests.engine import Traveller
from trains.models import ClassFare, Departure, FareTable
from users.models import SavedTraveller

pytestmark = pytest.mark.django_db

CHILD = {"name": "Mini", "age": 8}
ADULT = {"name": "Asha", "age": 31}
SENIOR = {"name": "Dada", "age": 71}


def lock(who: Traveller, departure: Departure, *people: dict[str, Any], **wish: Any) -> Any:
    wish = wish or {"seats": [f"S1-{n + 1}" for n in range(len(people) or 1)]}
    body = {"departure": departure.id, "source": "AAA", "destination": "EEE", **wish}
    return who.post("reservations/lock/", {**body, "passengers": people} if people else body)


def confirm(who: Traveller, held: Any, *people: dict[str, Any], **more: str) -> Any:
    body = {"hold": held.json()["hold"]}
    if people:
        body["passengers"] = people
    return who.post("reservations/confirm/", body, **more)


def amount(answer: Any) -> Decimal:
    return Decimal(answer.json()["fare"]["amount"])


def test_passengers_named_with_the_lock_pay_their_fares_and_need_no_second_naming(
    anna: Traveller, departure: Departure
) -> None:
    held = lock(anna, departure, CHILD, ADULT)
    full = amount(lock(anna, departure, seats=["S1-7", "S1-8"]))
    parts = {p["part"]: p["amount"] for p in held.json()["fare"]["parts"]}
    assert parts["concession"] == "-88.40"  # half of 40.00 + 240 km * 0.57
    assert amount(held) == full - Decimal("88.40")
    booked = confirm(anna, held)
    assert booked.status_code == 201
    assert booked.json()["passengers"] == [CHILD, ADULT]
    assert booked.json()["fare"] == held.json()["fare"]
    child, adult = BookedSeat.objects.order_by("seat")
    assert child.fare_parts["granted"] == "child"
    assert child.fare + adult.fare == amount(held)


def test_named_seats_keep_their_passengers_in_whatever_order(
    anna: Traveller, departure: Departure
) -> None:
    held = lock(anna, departure, CHILD, ADULT, seats=["S1-4", "S1-2"])
    booked = confirm(anna, held).json()
    assert dict(zip(booked["seats"], booked["passengers"], strict=True)) == {
        "S1-2": ADULT,
        "S1-4": CHILD,
    }


def test_a_concession_claimed_at_confirm_lowers_the_fare(
    anna: Traveller, departure: Departure
) -> None:
    held = lock(anna, departure, seats=["S1-1", "S1-2"])
    booked = confirm(anna, held, ADULT, SENIOR)
    assert amount(held) - amount(booked) == Decimal("70.72")  # 40 % of 176.80


def test_a_fare_that_was_told_stands_where_its_class_is_in_no_table_any_more(
    anna: Traveller, departure: Departure
) -> None:
    held = lock(anna, departure)
    ClassFare.objects.filter(travel_class__in=("", "SL")).delete()
    plans.forget_all()
    booked = confirm(anna, held, SENIOR)
    assert (booked.status_code, amount(booked)) == (201, amount(held))


def test_a_seat_held_for_a_child_is_not_confirmed_for_anybody_else(
    anna: Traveller, departure: Departure
) -> None:
    held = lock(anna, departure, CHILD)
    for other in (ADULT, SENIOR, {"name": "Ageless"}):
        refused = confirm(anna, held, other)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
        assert "passengers" in refused.json()["errors"]
    booked = confirm(anna, held, {"name": "Another", "age": 5})
    assert booked.status_code == 201
    assert booked.json()["passengers"][0]["name"] == "Another"


def test_names_that_redis_lost_are_asked_for_again(anna: Traveller, departure: Departure) -> None:
    held = lock(anna, departure, ADULT)
    ref = ids.read(held.json()["hold"])
    key = keys.people(keys.shard(departure.id), ref.hold)
    longest = settings.ENV.longest_hold_seconds
    assert longest < holds_store().ttl(key) <= longest + 2 * settings.ENV.pin_seconds
    holds_store().delete(key)
    assert "name them again" in confirm(anna, held).json()["detail"]
    assert confirm(anna, held, ADULT).status_code == 201


@pytest.mark.parametrize("count", [1, 3])
def test_one_passenger_a_seat_at_lock_and_at_confirm(
    anna: Traveller, departure: Departure, count: int
) -> None:
    seats = {"seats": ["S1-1", "S1-2"]}
    refused = lock(anna, departure, *[ADULT] * count, **seats)
    assert refused.json()["errors"] == {"passengers": ["Name 2 passengers, one per seat."]}
    held = lock(anna, departure, **seats)
    assert confirm(anna, held, *[ADULT] * count).json()["code"] == "invalid"


def test_a_child_alone_is_refused_where_the_fare_table_says_so(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    FareTable.objects.update(accompanied_below_age=12, adult_from_age=18)
    teen = {"name": "Teen", "age": 15}
    refused = lock(anna, departure, CHILD, teen)
    assert "Somebody of 18 must travel along." in refused.json()["errors"]["passengers"]
    assert lock(anna, departure, CHILD, ADULT).status_code == 201
    assert lock(bela, departure, {**teen, "age": 12}, seats=["S1-3"]).status_code == 201
    party = (CHILD, {"name": "Just Grown", "age": 18})
    assert lock(bela, departure, *party, seats=["S1-7", "S1-8"]).status_code == 201
    alone = lock(anna, departure, seats=["S1-5"])
    assert confirm(anna, alone, CHILD).json()["code"] == "invalid"
    assert confirm(anna, alone, teen).status_code == 201


def test_berths_are_ranked_and_given_by_preference(anna: Traveller, departure: Departure) -> None:
    up = {**ADULT, "berth_preference": "upper"}
    down = {**SENIOR, "berth_preference": "lower"}
    # Three upper berths do not lie side by side: nobody is given them by chance.
    three = lock(anna, departure, up, up, up, count=3, travel_class="SL").json()
    assert set(three["seats"]) < {"S1-2", "S1-4", "S1-6", "S1-8"}
    anna.delete(f"reservations/holds/{three['hold']}/")
    assert lock(anna, departure, up, count=1, travel_class="SL").status_code == 201
    both = confirm(anna, lock(anna, departure, up, down, count=2, travel_class="SL")).json()
    seated = dict(zip(both["seats"], both["passengers"], strict=True))
    for label, who in seated.items():
        assert (int(label.split("-")[1]) % 2 == 0) == (who["berth_preference"] == "upper")
    # None left of that kind: seats are found all the same.
    chairs = lock(anna, departure, up, count=1, travel_class="CC")
    assert chairs.status_code == 201


@pytest.mark.parametrize(
    ("positions", "wishes", "order"),
    [
        (["lower", "upper"], ["upper", "lower"], [1, 0]),
        (["lower", "upper"], ["lower", "lower"], [0, 1]),
        (["lower", "upper"], [None, "lower"], [1, 0]),
        (["window", "aisle", "aisle"], ["aisle", None, "window"], [2, 0, 1]),
        ([""], ["lower"], [0]),
    ],
)
def test_a_party_is_seated_by_its_wishes(
    positions: list[str], wishes: list[str | None], order: list[int]
) -> None:
    assert seat_party(positions, wishes) == order


def test_a_repeated_lock_with_names_finds_its_hold_and_its_names(
    anna: Traveller, departure: Departure
) -> None:
    body = {"departure": departure.id, "source": "AAA", "destination": "EEE", "count": 2}
    people = [{**CHILD, "berth_preference": "upper"}, ADULT]
    answers = [
        anna.post(
            "reservations/lock/", {**body, "passengers": people}, **{"Idempotency-Key": "one"}
        )
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    booked = confirm(anna, answers[1]).json()
    assert {each["name"] for each in booked["passengers"]} == {"Mini", "Asha"}


def test_the_owner_erases_who_travelled_and_the_bookings_stay(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    held, key = lock(anna, departure, CHILD), {"Idempotency-Key": "one"}
    mine = confirm(anna, held, **key).json()
    gone = confirm(anna, lock(anna, departure, ADULT, seats=["S1-5"])).json()
    hers = confirm(bela, lock(bela, departure, ADULT, seats=["S1-6"])).json()
    anna.post(f"reservations/bookings/{gone['pnr']}/cancel/")
    assert anna.delete("reservations/passengers/").json() == {"erased": 1}
    assert named(anna, mine) == ["Mini"]
    assert named(anna, gone) == [None]
    with clock.moved(departure.ends_at - clock.now() + timedelta(seconds=1)):
        assert erase_passengers(user=anna.user.pk, actor=anna.user.pk) == 1
    assert named(anna, mine) == [None]
    assert confirm(anna, held, **key).json()["passengers"] == [None], "not as it was answered first"
    assert anna.get(f"reservations/bookings/{mine['pnr']}/").json()["fare"] == mine["fare"]
    facts = OutboxEvent.objects.filter(kind="account.passengers-erased")
    who = {"user": anna.user.pk, "seats": 1, "actor": anna.user.pk}
    assert [(fact.stage, fact.body) for fact in facts] == [(1, who), (1, who)]
    assert named(bela, hers) == ["Asha"]


def named(who: Traveller, booking: dict[str, Any]) -> list[str | None]:
    shown = who.get(f"reservations/bookings/{booking['pnr']}/").json()
    return [each and each["name"] for each in shown["passengers"]]


def test_an_operator_erases_everything_of_a_person(
    anna: Traveller, departure: Departure, capsys: pytest.CaptureFixture[str]
) -> None:
    SavedTraveller.objects.create(owner=anna.user, name="Mini")
    booked = confirm(anna, lock(anna, departure, CHILD)).json()
    waiting = lock(anna, departure, ADULT, seats=["S1-5"])
    call_command("erase_person", "ANNA@example.org")
    assert "1 saved travellers and 1 passengers were erased" in capsys.readouterr().out
    assert named(anna, booked) == [None]
    assert not SavedTraveller.objects.exists()
    assert "name them again" in confirm(anna, waiting).json()["detail"]
