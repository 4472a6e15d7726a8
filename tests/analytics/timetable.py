"""A small train with departures, straight into the tables."""

from datetime import UTC, datetime, timedelta

from trains.models import Coach, Departure, Station, Stop, Train

STATIONS = ("CSMT", "DR", "TNA", "PNVL", "MAO")


def make_train(number: str = "11057", *, seats: int = 10) -> Train:
    """Five stops, so four legs, and one coach of class SL."""
    train = Train.objects.create(number=number, name="Coast Express", timezone="Asia/Kolkata")
    for sequence, code in enumerate(STATIONS):
        station, _ = Station.objects.get_or_create(
            code=code, defaults={"name": code.title(), "timezone": "Asia/Kolkata"}
        )
        seconds = 8 * 3600 + sequence * 3600
        Stop.objects.create(
            train=train,
            sequence=sequence,
            station=station,
            arrival_seconds=seconds,
            departure_seconds=seconds + 300,
            distance_km=sequence * 40,
        )
    Coach.objects.create(train=train, label="S1", travel_class="SL", capacity=seats, order=1)
    return train


def make_departure(train: Train, *, days_ahead: int = 3) -> Departure:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    starts_at = midnight + timedelta(days=days_ahead)
    return Departure.objects.create(
        train=train,
        service_date=starts_at.date(),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=13),
        sale_opens_at=midnight - timedelta(days=60),
    )
