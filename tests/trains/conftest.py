"""Staff, travellers, and small trains to try the timetable on."""

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pytest
from rest_framework.test import APIClient

from config import clock
from trains import sale
from trains.models import Coach, ServiceCalendar, Station, Stop, Train
from trains.services.generate_seats import generate_seats
from users.models import User

ZONE = "Asia/Kolkata"
DAILY = 0b1111111


class MakeTrain(Protocol):
    """Makes a train along the three stations, without departures, and without seats unless asked.

    `hours`: when it is at each stop, from the start of the service day.
    """

    def __call__(self, number: str = "100", **given: Any) -> Train: ...


@pytest.fixture(autouse=True)
def _six_in_the_morning() -> Iterator[None]:
    """Every test begins at 06:00 in India, so that none depends on when it is run."""
    today = sale.local_date(clock.now(), ZONE)
    six = datetime.combine(today, time(6), ZoneInfo(ZONE))
    with clock.moved(six - clock.now()):
        yield


@pytest.fixture
def staff_user(db: None) -> User:
    del db
    return User.objects.create_user("controller", "controller@example.org", is_staff=True)


@pytest.fixture
def staff(staff_user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(staff_user)
    return client


@pytest.fixture
def traveller(db: None) -> APIClient:
    del db
    client = APIClient()
    client.force_authenticate(User.objects.create_user("rider", "rider@example.org"))
    return client


@pytest.fixture
def anybody(db: None) -> APIClient:
    del db
    return APIClient()


@pytest.fixture
def stations(db: None) -> list[Station]:
    """Three stations on a meridian, some 111 km from each other."""
    del db
    return [
        Station.objects.create(
            code=code, name=name, latitude=latitude, longitude=77.0, timezone=ZONE
        )
        for code, name, latitude in (
            ("AAA", "Alpha Junction", 10.0),
            ("BBB", "Beta Road", 11.0),
            ("CCC", "Gamma Town", 12.0),
        )
    ]


@pytest.fixture
def make_train(stations: list[Station]) -> MakeTrain:
    def make(number: str = "100", **given: Any) -> Train:
        train = Train.objects.create(
            number=number, name="Test Express", timezone=given.get("timezone", ZONE)
        )
        Stop.objects.bulk_create(
            Stop(
                train=train,
                sequence=sequence,
                station=station,
                arrival_seconds=hour * 3600,
                departure_seconds=hour * 3600,
                distance_km=sequence * 100,
            )
            for sequence, (station, hour) in enumerate(
                zip(stations, given.get("hours", (8, 10, 12)), strict=True)
            )
        )
        calendar = ServiceCalendar.objects.create(
            service_id=f"train {number}",
            weekdays=given.get("weekdays", DAILY),
            start_date=given.get("starts", date(2020, 1, 1)),
            end_date=given.get("ends"),
        )
        train.calendars.add(calendar)
        if seats := given.get("seats", 0):
            coach = Coach(train=train, label="S1", travel_class="SL", capacity=seats, order=0)
            Coach.objects.bulk_create([coach])
            generate_seats(coach_ids=[coach.pk])
        return train

    return make
