"""Staff take seats out of sale and give them back."""

from typing import Any

import pytest

from config.outbox.consumers import consume_pending
from config.outbox.models import OutboxEvent
from config.stores import keys
from config.stores.redis import holds_store
from reservations.availability.plans import plan_of
from reservations.holds import store
from reservations.models import SeatBlock
from reservations.services import consume_facts
from reservations.services.refresh_image import refresh_departure
from tests.availability import railway
from tests.engine import Traveller
from tests.promises.test_p2_holds_exclude import lock
from tests.reservations.test_bookings import book
from tests.reservations.test_what_staff_change import change
from trains import hooks
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


def block(controller: Traveller, departure: Departure, *seats: str) -> Any:
    path = f"operations/departures/{departure.pk}/blocks/"
    return controller.post(path, {"seats": list(seats), "reason": "broken"})


def test_a_seat_that_is_booked_is_not_blocked_nor_any_with_it(
    anna: Traveller, controller: Traveller, departure: Departure
) -> None:
    book(anna, departure, "S1-1")
    refused = block(controller, departure, "S1-1", "S1-2")
    assert (refused.status_code, refused.json()["seats"]) == (409, ["S1-1"])
    assert not SeatBlock.objects.exists()
    assert lock(anna, departure, "S1-2") == 201


def test_a_seat_that_does_not_exist_is_refused_by_its_name(
    controller: Traveller, departure: Departure
) -> None:
    refused = block(controller, departure, "S1-1", "S9-1")
    assert refused.status_code == 400
    assert refused.json()["errors"] == {"seats": ["There is no seat S9-1."]}
    assert not SeatBlock.objects.exists()


def test_only_the_seats_that_are_named_are_given_back(
    anna: Traveller, controller: Traveller, departure: Departure
) -> None:
    assert block(controller, departure, "S1-1", "S1-2").status_code == 200
    path = f"/api/v1/operations/departures/{departure.pk}/blocks/"
    body = {"seats": ["S1-1"], "reason": "mended"}
    left = controller.client.delete(path, body, content_type="application/json")
    assert left.json()["seats"] == ["S1-2"]
    assert [lock(anna, departure, seat) for seat in ("S1-1", "S1-2")] == [201, 409]


def test_a_block_may_be_asked_for_again_and_each_is_a_fact(
    controller: Traveller, departure: Departure
) -> None:
    assert block(controller, departure, "S1-1").json()["seats"] == ["S1-1"]
    again = block(controller, departure, "S1-2", "S1-1")
    assert (again.status_code, again.json()["seats"]) == (200, ["S1-1", "S1-2"])
    path = f"/api/v1/operations/departures/{departure.pk}/blocks/"
    body = {"seats": ["S1-1"], "reason": "mended"}
    controller.client.delete(path, body, content_type="application/json")
    told = OutboxEvent.objects.filter(subject=f"departure:{departure.pk}", kind__contains="seats-")
    assert [(each.kind, each.stage, each.body) for each in told.order_by("number")] == [
        (
            f"staff.seats-{what}",
            1,
            {
                "actor": controller.user.pk,
                "seats": seats,
                "reason": reason,
                "departure": departure.pk,
            },
        )
        for what, seats, reason in (
            ("blocked", ["S1-1"], "broken"),
            ("blocked", ["S1-2", "S1-1"], "broken"),
            ("unblocked", ["S1-1"], "mended"),
        )
    ]


def revisions(*departures: Departure) -> list[str]:
    return [image.revision for image in store.read_images([each.pk for each in departures])]


@pytest.fixture
def unannounced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who changes a departure is killed right after COMMIT."""
    monkeypatch.setattr(hooks, "announce_changed", lambda _: None)


@pytest.mark.usefixtures("unannounced")
def test_the_image_of_a_departure_that_changed_learns_its_revision_from_the_outbox(
    anna: Traveller, departure: Departure
) -> None:
    lock(anna, departure, "S1-1")
    (before,) = revisions(departure)
    change(departure, fare_factor=2)
    assert revisions(departure) == [before]
    holds_store().set(keys.TIMETABLE, "before")
    consume_pending()
    assert revisions(departure) != [before]
    assert holds_store().get(keys.TIMETABLE) != b"before", "memories of searches are old, too"


@pytest.mark.usefixtures("unannounced")
def test_of_very_many_that_changed_those_with_an_image_learn_it(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consume_facts, "MANY", 1)
    unseen = railway.departure(departure.train, days_ahead=9)
    lock(anna, departure, "S1-1")
    before = revisions(departure, unseen)
    for each in (departure, unseen):
        change(each, fare_factor=2)
    consume_pending()
    after = revisions(departure, unseen)
    assert after[0] != before[0]
    assert after[1] == before[1], "nobody loaded it"


@pytest.mark.parametrize("most", [2, 1])
def test_only_of_very_many_it_is_asked_first_whether_they_have_an_image(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    unseen = railway.departure(departure.train, days_ahead=9)
    lock(anna, departure, "S1-1")
    plan_of(unseen.pk)
    Departure.objects.filter(pk=unseen.pk).update(status="closed")
    refreshed = []

    def refresh(*, departure: int) -> None:
        refreshed.append(departure)
        refresh_departure(departure=departure)

    monkeypatch.setattr(consume_facts, "refresh_departure", refresh)
    monkeypatch.setattr(consume_facts, "MANY", most)
    consume_facts.refresh_departures([departure.pk, unseen.pk])
    assert refreshed == [departure.pk, unseen.pk][:most]
    assert plan_of(unseen.pk).status == "closed", "what this process knew is forgotten"
