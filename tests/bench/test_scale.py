"""`make scale` in its smallest form: what it measures and leaves out, never how fast it was."""

from pathlib import Path
from typing import Any

import pytest

from reservations.models import BookedSeat, Booking
from tests.bench import scale_data
from tests.bench.scale import Scale, run_scale
from tests.bench.scale_report import publish_scale
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


def test_scale_measures_each_point_once_and_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_redis: None
) -> None:
    monkeypatch.setenv("BENCH_DOCS", str(tmp_path))
    monkeypatch.setattr(scale_data, "DAYS", 30)
    scale = Scale(
        departures=(100, 400), bookings=(50,), holds=(120,), seats=(50,), legs=(1, 40), calls=8,
        swept=60, users=40,
    )  # fmt: skip
    said: list[str] = []
    report = run_scale(scale, said.append)

    points: dict[str, Any] = report["points"]
    assert len(points) == 9
    assert Departure.objects.filter(train__number__startswith="line-").count() == 400
    assert Booking.objects.filter(hold__startswith="copied-").count() == 50
    assert BookedSeat.objects.filter(booking__hold__startswith="copied-").count() == 50
    assert points["departures 400"]["lock"]["p50"] > 0
    assert points["seats 50"]["image_bytes"] > 0
    assert isinstance(points["holds 120"]["bytes_a_hold"], float)  # of so few it is mostly noise
    assert (points["sweep"]["holds"], points["sweep"]["left"]) == (60, 0)
    assert "Execution Time" in points["query plans"]["search"]

    assert run_scale(scale, said.append)["points"].keys() == points.keys()
    assert [line for line in said[len(points) :] if not line.endswith("known")] == []
    assert "holds that ran out at once" in publish_scale(report)
    assert (tmp_path / "bench" / "scale-legs.svg").stat().st_size > 1000
