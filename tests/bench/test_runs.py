"""Each run in its smallest form: what it counts and promises, never how fast it was."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analytics.schema import FACTS, GAPS
from config.stores.mongo import audit_database
from tests.bench import pages
from tests.bench.bench import Plan, run_bench
from tests.bench.record import Minute, publish_record, run_record
from tests.bench.report import publish_bench
from tests.bench.rush import Crowd, publish_rush, run_rush
from tests.bench.world import CHAIRS, Size

SMALL = Size(trains=5, legs=4, sleepers=1, chairs=1, days=20, travellers=400, with_password=4)
# A busy machine is slow, not broken.
PATIENT = {"REDIS_TIMEOUT_SECONDS": "10", "REDIS_PATIENCE_SECONDS": "10"}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_redis: None) -> Path:
    monkeypatch.setenv("BENCH_DOCS", str(tmp_path))
    for collection in (FACTS, GAPS):
        audit_database()[collection].delete_many({})
    return tmp_path / "BENCHMARKS.md"


def test_the_record_minute_counts_its_tickets_in_all_three_stores(page: Path) -> None:
    report = run_record(
        Minute(
            seconds=120.0,  # or until there is nobody left
            connections=4,
            size=replace(SMALL, trains=2, days=3, travellers=80, with_password=0),
            settings=PATIENT,
        ),
        say=lambda _: None,
    )

    assert report["sold"] > 0
    assert report["wrong"] == []
    assert report["sold"] == sum(report["by_second"])
    assert report["after"]["documents"]["booking.confirmed"] >= report["sold"]
    publish_record(report)
    assert f"{report['sold']:,} tickets" in page.read_text()


def test_in_a_rush_every_seat_is_sold_once_to_bots_and_people(page: Path) -> None:
    report = run_rush(
        Crowd(
            travellers=180,
            connections=16,
            look_seconds=(0.0, 0.1),
            form_seconds=(0.0, 0.2),
            size=replace(SMALL, trains=1, days=1, sleepers=0, with_password=0),
            settings={**PATIENT, "HOLD_TTL_SECONDS": "2"},
        ),
        say=lambda _: None,
    )

    assert report["wrong"] == []
    assert report["to_bots"] + report["to_people"] == report["seats"] == CHAIRS[1]
    assert report["picture"]["sold to bots"][-1][1] == report["to_bots"]
    publish_rush(report)
    assert "none twice" in page.read_text()


def test_bench_measures_every_row_and_every_answer_is_right(page: Path) -> None:
    report = run_bench(
        Plan(
            seconds=0.15,
            rounds=1,
            connections=(4,),
            rates=(20,),
            open_seconds=0.3,
            warm_seconds=0.03,
            size=SMALL,
            settings=PATIENT,
            blocks=3,
            feed_trips=5,
            engine_bookings=100,
            ship_seconds=1.0,
            calibrate=False,
        ),
        say=lambda _: None,
    )

    by_name: dict[str, Any] = {row["name"]: row for row in report["rows"]}
    assert {"lock_1", "confirm", "pairs", "seat_map", "search", "pgbench", "redis_lock"} < set(
        by_name
    )
    assert [row["faults"] for row in report["rows"] if row["void"]] == []
    assert all(row["rate"]["median"] > 0 for row in report["rows"])
    assert by_name["lock_1"]["rounds"][0]["looked_at"] > 0
    assert report["promises"]["kept"]
    assert report["shipping"]["shipped"] > 0
    assert report["import"]["rows"] > 100
    assert report["engine"]["booked"] == report["engine"]["locked"] == 100
    assert report["engine"]["counts_a_second"] > 0

    publish_bench(report)
    publish_bench(report)
    assert page.read_text().count("closed loop") == 1, "the block is replaced, not added"
    assert (pages.docs_folder() / "bench" / "bench-rates.svg").stat().st_size > 1000
