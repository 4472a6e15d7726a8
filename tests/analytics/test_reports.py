"""What the reports say about known facts, and that MongoDB answers them from an index."""

import json
import math
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database
from pytest_django import Settings

from analytics.reports import demand, funnel, latency, occupancy, top_routes
from analytics.reports.ask import days_ago
from analytics.reports.demand import WEEKDAYS
from analytics.schema import FACTS, REQUESTS
from analytics.shipping.shipper import ship_pending
from config.outbox.facts import Fact, append
from config.stores import keys
from config.stores.redis import holds_store
from tests.analytics.conftest import add_hold_facts, hold_fact

Mongo = Database[dict[str, Any]]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("streams")]

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def log(  # the parts of a request
    *, endpoint: str = "departures/search/", at: datetime | None = None, status: int = 200,
    duration_ms: float = 1.0, method: str = "GET", noted: dict[str, str] | None = None,
    **params: str,
) -> None:  # fmt: skip
    document = {
        "id": f"r-{random.getrandbits(64):x}",
        "at": int((at or datetime.now(UTC)).timestamp() * 1000),
        "method": method,
        "endpoint": endpoint,
        "params": params,
        "status": status,
        "user": None,
        "duration_ms": duration_ms,
        "noted": noted or {},
    }
    holds_store().xadd(keys.REQUESTS, {"d": json.dumps(document)})


def book(pnr: str, **body: Any) -> None:
    known = {
        "hold": f"h-{pnr}", "pnr": pnr, "user": 7, "departure": 145, "train": "11057",
        "service_date": "2026-12-01", "source": "CSMT", "destination": "MAO",
        "from_stop": 0, "to_stop": 4, "seat_ids": [1, 2],
    }  # fmt: skip
    confirmed = Fact(
        event_id=f"h-{pnr}:confirmed",
        kind="booking.confirmed",
        subject=pnr,
        stage=3,
        body=known | body,
    )
    append(confirmed)


def cancel(pnr: str, seat_ids: list[int], departure: int = 145) -> None:
    body = {"hold": f"h-{pnr}", "pnr": pnr, "departure": departure, "seat_ids": seat_ids}
    append(
        Fact(
            event_id=f"{pnr}:cancelled",
            kind="booking.cancelled",
            subject=pnr,
            stage=4,
            body=body,
        )
    )


def stages(explained: Any) -> Iterable[str]:
    """The names of all stages in an explanation, however deep."""
    if isinstance(explained, dict):
        if isinstance(explained.get("stage"), str):
            yield explained["stage"]
        for inner in explained.values():
            yield from stages(inner)
    elif isinstance(explained, list):
        for inner in explained:
            yield from stages(inner)


def winning(mongo: Mongo, collection: str, pipeline: list[dict[str, Any]]) -> set[str]:
    command = {"aggregate": collection, "pipeline": pipeline, "cursor": {}}
    explained = mongo.command("explain", command, verbosity="queryPlanner")
    return set(stages(list(_values(explained, "winningPlan"))))


def _values(explained: Any, name: str) -> Iterable[Any]:
    if isinstance(explained, dict):
        for key, inner in explained.items():
            if key == name:
                yield inner
            else:
                yield from _values(inner, name)
    elif isinstance(explained, list):
        for inner in explained:
            yield from _values(inner, name)


@pytest.fixture
def busy(mongo: Mongo) -> Mongo:
    """Enough documents that MongoDB has a choice of plans."""
    for number in range(300):
        moment = datetime.now(UTC) - timedelta(hours=number)
        log(source="CSMT", destination=f"D{number % 7}", at=moment, duration_ms=number)
        log(endpoint="stations/", at=moment, duration_ms=number)
        book(f"PNR{number}", departure=number % 10, hold=f"h{number}")
        add_hold_facts(hold_fact(f"h{number}"))
    ship_pending(budget_seconds=60)
    return mongo


SINCE = datetime.now(UTC) - timedelta(days=5)
WANTED = occupancy.Wanted(
    first_date=datetime(2026, 11, 30, tzinfo=UTC).date(),
    last_date=datetime(2026, 12, 2, tzinfo=UTC).date(),
)
COVERED = [
    (REQUESTS, top_routes.searches(since=SINCE, limit=10)),
    (FACTS, top_routes.bookings(since=SINCE, limit=10)),
    (FACTS, funnel.pipeline(since=SINCE)),
    (REQUESTS, latency.pipeline(since=SINCE)),
    (FACTS, occupancy.departures(wanted=WANTED, limit=10, offset=0)),
    (REQUESTS, demand.pipeline(since=SINCE, time_zone="Asia/Kolkata")),
]


@pytest.mark.parametrize(
    ("collection", "pipeline"),
    COVERED,
    ids=["searches", "bookings", "funnel", "latency", "departures", "demand"],
)
def test_a_report_reads_an_index_and_no_document(
    busy: Mongo, collection: str, pipeline: list[dict[str, Any]]
) -> None:
    used = winning(busy, collection, pipeline)
    assert "IXSCAN" in used
    assert not used & {"COLLSCAN", "FETCH"}


def test_what_is_sold_is_found_by_an_index(busy: Mongo) -> None:
    used = winning(busy, FACTS, occupancy.sold([1, 2]))
    assert "IXSCAN" in used
    assert "COLLSCAN" not in used


def test_without_its_index_a_report_would_read_everything(busy: Mongo) -> None:
    """The check above can fail: it sees a collection scan when there is one."""
    busy.requests.aggregate([{"$match": {}}, {"$out": "bare"}])
    try:
        used = winning(busy, "bare", top_routes.searches(since=SINCE, limit=10))
        assert "COLLSCAN" in used
    finally:
        busy.bare.drop()


def test_top_routes_by_searches_are_what_people_looked_for(mongo: Mongo) -> None:
    for _ in range(3):
        log(source="CSMT", destination="MAO")
    log(source=" csmt", destination="mao")
    log(source="MAO", destination="CSMT")
    log(source="Mumbai", destination="MAO", noted={"source": "CSMT"})
    log(source="hbr", destination="apt", noted={"source": "Hbr", "destination": "apt"})
    log(source="CSMT", destination=" ")
    log(source="CSMT", destination="MAO", offset="20")
    log(source="CSMT", destination="MAO", offset="0")
    log(source="CSMT", destination="XXX", status=400)
    log(source="CSMT", destination="MAO", at=days_ago(40))
    log(endpoint="stations/", q="CSMT")
    ship_pending()

    found = top_routes.top_routes(by="searches", since=days_ago(), limit=10)
    assert [(route.source, route.destination, route.count) for route in found] == [
        ("CSMT", "MAO", 6),
        ("Hbr", "apt", 1),
        ("MAO", "CSMT", 1),
    ]
    assert len(top_routes.top_routes(by="searches", since=days_ago(), limit=1)) == 1
    assert mongo.requests.count_documents({}) == 13


def test_top_routes_by_bookings_count_what_was_booked(mongo: Mongo) -> None:
    assert mongo.name
    book("A1")
    book("A2")
    book("B1", source="PUNE")
    cancel("A1", [1, 2])
    ship_pending()
    found = top_routes.top_routes(by="bookings", since=days_ago(), limit=10)
    assert [(route.source, route.destination, route.count) for route in found] == [
        ("CSMT", "MAO", 2),
        ("PUNE", "MAO", 1),
    ]


def test_the_funnel_counts_each_hold_once_by_how_it_ended(mongo: Mongo) -> None:
    assert mongo.name
    for number in range(6):
        add_hold_facts(hold_fact(f"h{number}"))
    add_hold_facts(
        hold_fact("h0", "extended", id="h0:extended:1", number=1),
        hold_fact("h0", "extended", id="h0:extended:2", number=2),
        hold_fact("h1", "released"),
        hold_fact("h2", "expired"),
        hold_fact("h3", "expired"),
    )
    book("A1", hold="h0")
    book("A2", hold="h4")
    add_hold_facts(hold_fact("before", at=1_000), hold_fact("before", "expired"))
    ship_pending()

    found = funnel.funnel(since=days_ago())
    assert (found.held, found.extended, found.confirmed) == (6, 1, 2)
    assert (found.released, found.expired, found.open) == (1, 2, 1)
    assert (found.conversion, found.expiry) == (0.3333, 0.3333)


def test_a_funnel_of_nothing_has_no_shares(mongo: Mongo) -> None:
    assert mongo.name
    found = funnel.funnel(since=days_ago())
    assert (found.held, found.open, found.conversion, found.expiry) == (0, 0, None, None)


def test_latency_is_the_nearest_rank_to_half_a_percent(mongo: Mongo) -> None:
    assert mongo.name
    chance = random.Random(7)
    durations = [chance.lognormvariate(1.5, 1.2) for _ in range(1_500)]
    for duration in durations:
        log(endpoint="stations/", duration_ms=duration)
    for status in (200, 503):
        log(endpoint="reservations/lock/", method="POST", duration_ms=0.0, status=status)
    log(endpoint="stations/", duration_ms=99_999, at=days_ago(3))
    ship_pending(budget_seconds=60)

    stations, lock = latency.latency(since=days_ago(1))
    ranked = sorted(durations)
    for share, found in ((0.5, stations.p50_ms), (0.95, stations.p95_ms), (0.99, stations.p99_ms)):
        exact = ranked[math.ceil(share * len(ranked)) - 1]
        assert found == pytest.approx(exact, rel=0.005)
    assert stations.max_ms == pytest.approx(ranked[-1], rel=0.005)
    assert (stations.endpoint, stations.method, stations.requests) == ("stations/", "GET", 1_500)
    assert (lock.requests, lock.server_errors, lock.p50_ms, lock.p99_ms) == (2, 1, 0.01, 0.01)


@pytest.mark.parametrize("count", [1, 2, 3, 20])
def test_the_rank_of_few_requests_is_right(mongo: Mongo, count: int) -> None:
    assert mongo.name
    for number in range(1, count + 1):
        log(endpoint="stations/", duration_ms=number)
    ship_pending()
    (found,) = latency.latency(since=days_ago(1))
    expected = [math.ceil(share * count) for share in (0.5, 0.95, 0.99)]
    assert [found.p50_ms, found.p95_ms, found.p99_ms] == expected


def test_demand_is_told_by_the_clock_of_its_zone(mongo: Mongo, settings: Settings) -> None:
    assert mongo.name
    settings.ENV = settings.ENV.model_copy(update={"time_zone": "Asia/Kolkata"})
    sunday_evening_utc = datetime(2026, 11, 1, 20, 0, tzinfo=UTC)  # Monday 01:30 in Kolkata
    for _ in range(2):
        log(source="A", destination="B", at=sunday_evening_utc)
    log(source="A", destination="B", at=sunday_evening_utc + timedelta(hours=5))
    ship_pending()

    found = demand.demand(since=LONG_AGO)
    assert (found.time_zone, found.searches) == ("Asia/Kolkata", 3)
    assert found.by_hour[1] == 2
    assert found.by_hour[6] == 1
    assert found.by_weekday == {day: 3 if day == "mon" else 0 for day in WEEKDAYS}
    assert found.by_weekday_and_hour["mon"][1] == 2
