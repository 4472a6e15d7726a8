"""Small railways for these tests, made through the models."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from config import clock
from trains.models import Coach, Departure, Station, Stop, Train, VehicleTemplate

ZONE = "Asia/Kolkata"
HOUR = 3600

TWO_TIER_BAY: dict[str, Any] = {
    "unit": "bay",
    "capacity": 72,
    "seats": [
        {"position": "lower", "x": 0, "y": 0},
        {"position": "upper", "x": 0, "y": 0, "deck": 1},
        {"position": "lower", "x": 0, "y": 1},
        {"position": "upper", "x": 0, "y": 1, "deck": 1},
    ],
}
CHAIR_ROW: dict[str, Any] = {
    "unit": "row",
    "capacity": 78,
    "seats": [
        {"position": "window", "x": 0, "y": 0},
        {"position": "aisle", "x": 1, "y": 0},
        {"position": "aisle", "x": 3, "y": 0},
        {"position": "window", "x": 4, "y": 0},
    ],
}


def station(code: str, zone: str = ZONE) -> Station:
    made, _ = Station.objects.get_or_create(
        code=code, defaults={"name": f"{code.title()} Junction", "timezone": zone}
    )
    return made


def template(code: str, travel_class: str, layout: dict[str, Any]) -> VehicleTemplate:
    made, _ = VehicleTemplate.objects.get_or_create(
        code=code, defaults={"travel_class": travel_class, "layout": layout}
    )
    return made


def train(
    number: str = "10101",
    *,
    stops: Sequence[str] = ("AAA", "BBB", "CCC", "DDD"),
    coaches: Sequence[tuple[str, str, int]] = (("S1", "SL", 8), ("C1", "CC", 8)),
    first_departure_seconds: int = 8 * HOUR,
    leg_seconds: int = HOUR,
    zone: str = ZONE,
) -> Train:
    """A train that stops each hour, 2 minutes a stop, 60 km apart; SL in bays, CC in rows."""
    layouts = {"SL": TWO_TIER_BAY, "CC": CHAIR_ROW}
    made = Train.objects.create(number=number, name=f"Express {number}", timezone=zone)
    for sequence, code in enumerate(stops):
        leaves = first_departure_seconds + sequence * leg_seconds
        Stop.objects.create(
            train=made,
            sequence=sequence,
            station=station(code, zone),
            arrival_seconds=leaves - 120 if sequence else leaves,
            departure_seconds=leaves,
            distance_km=Decimal(60 * sequence),
        )
    for order, (label, travel_class, capacity) in enumerate(coaches):
        layout = layouts.get(travel_class)
        Coach.objects.create(
            train=made,
            label=label,
            travel_class=travel_class,
            template=template(f"T-{travel_class}", travel_class, layout) if layout else None,
            capacity=capacity,
            order=order,
        )
    made.refresh_from_db()
    return made


def service_day_start(day: date, zone: str = ZONE) -> datetime:
    """Noon minus twelve hours in the zone, in UTC: where the times of a service day begin."""
    noon = datetime.combine(day, time(12), ZoneInfo(zone)).astimezone(UTC)
    return noon - timedelta(hours=12)


def departure(of: Train, *, days_ahead: int = 2, **fields: Any) -> Departure:
    day = clock.now().astimezone(ZoneInfo(of.timezone)).date() + timedelta(days=days_ahead)
    starts_at = service_day_start(day, of.timezone)
    last = of.stops.order_by("sequence").last()
    assert last is not None
    return Departure.objects.create(
        **{
            "train": of,
            "service_date": day,
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(seconds=last.arrival_seconds),
            "sale_opens_at": clock.now() - timedelta(days=1),
        }
        | fields
    )
