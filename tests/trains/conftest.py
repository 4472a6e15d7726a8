"""Staff, travellers, and small trains to try the timetable on."""

from collections.abc import Callable
from datetime import date

import pytest
from rest_framework.test import APIClient

from trains.models import Coach, ServiceCalendar, Station, Stop, Train
from trains.services.generate_seats import generate_seats
from users.models import User

ZONE = "Asia/Kolkata"


@pytest.fixture
def staff_user(db: None) -> User:
    return User.objects.create_user("controller", "controller@example.org", is_staff=True)


@pytest.fixture
def staff(staff_user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(staff_user)
    return client


@pytest.fixture
def traveller(db: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.create_user("rider", "rider@example.org"))
    return client


@pytest.fixture
def anybody() -> APIClient:
    return APIClient()


@pytest.fixture
def stations(db: None) -> list[Station]:
    """Three stations on a line, some 111 km from each other."""
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
def make_train(stations: list[Station]) -> Callable[..., Train]:
    """Makes a daily train along the three stations, without departures and seats unless asked."""

    def make(
        number: str = "100",
        *,
        hours: tuple[int, ...] = (8, 10, 12),
        weekdays: int = 127,
        timezone: str = ZONE,
        seats: int = 0,
        starts: date = date(2020, 1, 1),
    ) -> Train:
        train = Train.objects.create(number=number, name="Test Express", timezone=timezone)
        Stop.objects.bulk_create(
            Stop(
                train=train,
                sequence=sequence,
                station=station,
                arrival_seconds=hour * 3600,
                departure_seconds=hour * 3600,
                distance_km=sequence * 100,
            )
            for sequence, (station, hour) in enumerate(zip(stations, hours, strict=True))
        )
        calendar = ServiceCalendar.objects.create(
            service_id=f"train {number}", weekdays=weekdays, start_date=starts
        )
        train.calendars.add(calendar)
        if seats:
            coach = Coach(train=train, label="S1", travel_class="SL", capacity=seats, order=0)
            Coach.objects.bulk_create([coach])
            generate_seats(coach_ids=[coach.pk])
        return train

    return make
