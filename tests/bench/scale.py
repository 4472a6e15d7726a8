"""`make scale`: does it stay as quick when there is more of everything?

One axis at a time: departures, bookings in the table, live holds, seats a departure has, legs.
At each point lock, confirm, seat map and search are called as services, one after the other, and
their latencies kept. Then: what Redis needs for a hold and for a departure, the plans PostgreSQL
makes at the largest point, and the sweep of many holds that ran out, beside live traffic.

Each point is written down when it is measured, and a run that was cut off leaves those out.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.test import override_settings

from config import clock
from config.stores import keys
from config.stores.redis import holds_store
from reservations.availability.plans import plan_of
from reservations.services.choose_seats import SeatWish
from reservations.services.confirm_booking import confirm_booking
from reservations.services.hold_seats import Owner, hold_seats
from tests.availability import railway
from tests.bench import pages
from tests.bench.machine import describe_machine
from tests.bench.scale_calls import measure, next_runs, query_plans
from tests.bench.scale_data import STOPS, grow_bookings, grow_departures
from tests.bench.scale_holds import forget_audit, hold_many_of, live_holds, memory, sweep
from trains.models import Train
from users.models import User

LONG_SECONDS: Final = 6 * 3600


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The points of each axis, and how often each call is made at a point."""

    departures: Sequence[int] = (1_000, 10_000, 50_000, 170_000)
    bookings: Sequence[int] = (10_000, 100_000, 1_000_000, 5_000_000)
    holds: Sequence[int] = (1_000, 10_000, 100_000, 500_000)
    seats: Sequence[int] = (50, 200, 1_000, 2_000)
    legs: Sequence[int] = (1, 10, 31, 64, 100)
    calls: int = 200
    swept: int = 100_000
    users: int = 20_000
    kept: Path = field(default_factory=lambda: pages.docs_folder() / "bench" / "scale.json")


def run_scale(scale: Scale, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure what is not written down yet; the whole report."""
    report: dict[str, Any] = json.loads(scale.kept.read_text()) if scale.kept.exists() else {}
    report.setdefault("machine", describe_machine())
    points: dict[str, Any] = report.setdefault("points", {})
    env = settings.ENV.model_copy(
        update={
            "hold_ttl_seconds": LONG_SECONDS,
            "hold_max_total_seconds": LONG_SECONDS,
            "hold_max_per_user": 1_000_000,
            "sale_window_days": 400,
            "redis_patience_seconds": 30.0,
        }
    )
    with override_settings(ENV=env):
        for name, act in _acts(scale):
            if name in points:
                say(f"{name}: known")
                continue
            started = time.monotonic()
            points[name] = act()
            report["seconds"] = round(report.get("seconds", 0) + time.monotonic() - started, 1)
            scale.kept.parent.mkdir(parents=True, exist_ok=True)
            scale.kept.write_text(json.dumps(report, indent=1, default=str) + "\n")
            say(f"{name}: {json.dumps(points[name])[:200]}")
    return report


def _acts(scale: Scale) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Everything there is to measure, by name, smallest data first."""
    users = _users(scale.users)
    for seats in scale.seats:
        yield f"seats {seats}", partial(_shaped, users, scale, legs=STOPS - 1, seats=seats)
    for legs in scale.legs:
        yield f"legs {legs}", partial(_shaped, users, scale, legs=legs, seats=200)
    for departures in scale.departures:
        yield f"departures {departures}", partial(_many_departures, users, scale, departures)
    for bookings in scale.bookings:
        yield f"bookings {bookings}", partial(_many_bookings, users, scale, bookings)
    yield "query plans", partial(_plans, scale)
    yield "sweep", partial(_swept, users, scale)
    for holds in scale.holds:
        yield f"holds {holds}", partial(_many_holds, users, scale, holds)


def _users(number: int) -> list[int]:
    known = User.objects.filter(username__startswith="scaled-").count()
    User.objects.bulk_create(
        [
            User(username=f"scaled-{n}", email=f"scaled-{n}@example.org", date_joined=clock.now())
            for n in range(known, number)
        ],
        batch_size=2_000,
    )
    found = User.objects.filter(username__startswith="scaled-").order_by("pk")
    return list(found.values_list("pk", flat=True))


def _shaped(users: Sequence[int], scale: Scale, *, legs: int, seats: int) -> dict[str, Any]:
    """A train of that shape; and what Redis needs for the image of one departure."""
    number = f"shape-{legs}-{seats}"
    train = Train.objects.filter(number=number).first()
    if train is None:
        stops = tuple(f"Z{legs}N{stop:03}" for stop in range(legs + 1))
        coaches = [(f"S{at + 1}", "SL", 50) for at in range(seats // 50)]
        train = railway.train(number, stops=stops, coaches=coaches, leg_seconds=600)
    taken = set(train.departures.values_list("service_date", flat=True))
    run = railway.departure(train, days_ahead=3 + len(taken))
    measured = measure(users, [run.pk], min(scale.calls, seats * legs // 2))
    _sell_the_last_seat(users[0], run.pk)  # as long as it gets
    image = sum(_bytes_of(keys.of(run.pk, part)) for part in ("held", "sold", "image"))
    return {**measured, "image_bytes": image}


def _sell_the_last_seat(user: int, run: int) -> None:
    owner, train = Owner(user, "measured"), plan_of(run).train
    wish = SeatWish(
        departure=run,
        source=train.stops[-2].code,
        destination=train.stops[-1].code,
        seats=(train.labels[-1],),
    )
    confirm_booking(owner=owner, hold=hold_seats(owner=owner, wish=wish).hold)


def _plans(scale: Scale) -> dict[str, str]:
    grow_departures(scale.departures[-1])
    grow_bookings(scale.bookings[-1])
    return query_plans()


def _swept(users: Sequence[int], scale: Scale) -> dict[str, Any]:
    grow_departures(scale.departures[-1])
    return sweep(users, scale.swept)


def _many_departures(users: Sequence[int], scale: Scale, number: int) -> dict[str, Any]:
    grow_departures(number)
    return measure(users, next_runs(20), scale.calls)


def _many_bookings(users: Sequence[int], scale: Scale, number: int) -> dict[str, Any]:
    grow_departures(scale.departures[-1])
    grow_bookings(number)
    return measure(users, next_runs(20), scale.calls)


def _many_holds(users: Sequence[int], scale: Scale, number: int) -> dict[str, Any]:
    """So many live holds beside; and what Redis needs for one, without its entry for the audit."""
    grow_departures(scale.departures[-1])
    before, bytes_before = live_holds(), memory()
    taken = hold_many_of(users, number - before)
    forget_audit()
    each = (memory() - bytes_before) / taken if taken else None
    return {**measure(users, next_runs(20), scale.calls), "bytes_a_hold": each}


def _bytes_of(key: str) -> int:
    return int(holds_store().memory_usage(key) or 0)
