"""A feed is imported again while travellers hold and book seats on its trains."""

from collections.abc import Sequence
from typing import Any

import pytest

from reservations.services import consume_facts
from tests.engine import Traveller
from tests.reservations.test_what_staff_change import refusal
from tests.trains.gtfs.feeds import run, stop_times, write_feed
from trains.gtfs.import_feed import import_feed
from trains.models import Departure, Seat
from trains.services.open_departures import open_departures

pytestmark = pytest.mark.django_db(transaction=True)
LATER = {"stop_times.txt": stop_times(*run("T1", "09:00:00", "10:00:00", "12:30:00"))}


@pytest.fixture
def departures(tmp_path: Any, empty_redis: None) -> Sequence[Departure]:
    """Train 101 of the tiny feed, from tomorrow on."""
    import_feed(path=write_feed(tmp_path))
    open_departures(window_days=5)
    return list(Departure.objects.order_by("service_date"))[1:]


def wish(departure: Departure) -> dict[str, Any]:
    seat = Seat.objects.select_related("coach").filter(train=departure.train).earliest("ordinal")
    return {
        "departure": departure.pk,
        "source": "A",
        "destination": "C",
        "seats": [f"{seat.coach.label}-{seat.number}"],
    }


def test_a_departure_somebody_holds_keeps_its_times_and_can_be_confirmed(
    anna: Traveller, departures: Sequence[Departure], tmp_path: Any
) -> None:
    hold = anna.post("reservations/lock/", wish(departures[1])).json()["hold"]
    import_feed(path=write_feed(tmp_path, LATER))
    kept = Departure.objects.get(pk=departures[1].pk)
    assert (kept.status, kept.starts_at, kept.ends_at) == (
        "open",
        departures[1].starts_at,
        departures[1].ends_at,
    )
    assert anna.post("reservations/confirm/", {"hold": hold}).status_code == 201


@pytest.mark.parametrize("many", [0, 1_000])
def test_the_days_nobody_holds_are_sold_by_the_new_timetable(
    anna: Traveller,
    departures: Sequence[Departure],
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    many: int,
) -> None:
    monkeypatch.setattr(consume_facts, "MANY", many)
    released = anna.post("reservations/lock/", wish(departures[2])).json()["hold"]
    anna.delete(f"reservations/holds/{released}/")
    assert anna.post("reservations/lock/", wish(departures[1])).status_code == 201

    report = import_feed(path=write_feed(tmp_path, LATER))
    open_departures(window_days=5, train_ids=report.train_ids)
    assert refusal(anna.post("reservations/lock/", wish(departures[2]))) == "not-on-sale"
    successor = Departure.objects.get(
        train__number="101-2", service_date=departures[2].service_date
    )
    assert anna.post("reservations/lock/", wish(successor)).status_code == 201
    beside = Departure.objects.get(train__number="101-2", service_date=departures[1].service_date)
    assert refusal(anna.post("reservations/lock/", wish(beside))) == "not-on-sale"


def test_a_train_nobody_holds_is_sold_at_its_new_times(
    anna: Traveller, departures: Sequence[Departure], tmp_path: Any
) -> None:
    released = anna.post("reservations/lock/", wish(departures[0])).json()["hold"]
    anna.delete(f"reservations/holds/{released}/")
    shorter = {"stop_times.txt": stop_times(*run("T1", "09:00:00", "10:00:00"))}
    import_feed(path=write_feed(tmp_path, shorter))
    gone = anna.post("reservations/lock/", wish(departures[0]))
    assert gone.status_code in {400, 404}
    answer = anna.post("reservations/lock/", {**wish(departures[0]), "destination": "B"})
    assert answer.status_code == 201, answer.content
