"""Gauges for Prometheus: what is held and sold, and how far the shipper is behind.

They are read from the stores when they are asked for, so that every process of many says the
same. A store that is away leaves its gauges out; `seatlock_store_up` says that it is.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from analytics.operations.backlog import or_none, outbox_pending, sink_state, stream_backlog
from analytics.operations.live_holds import count_live_holds
from config.http import health
from config.http.metrics import FROM_STORES
from reservations.models import Booking

T = TypeVar("T")


class EngineCollector(Collector):
    """Holds and bookings; what waits, what was set aside, what was lost."""

    def describe(self) -> list[Metric]:
        """Nothing: names are not worth a question to every store when the process starts."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from _from("redis", _holds)
        yield from _from("redis", _streams)
        yield from _from("postgresql", _bookings)
        yield from _from("mongodb", _sink)


def register() -> None:
    """Let /metrics show them. Once a process: Django calls `ready` once."""
    FROM_STORES.register(EngineCollector())


def _from(store: str, read: Callable[[], list[Metric]]) -> list[Metric]:
    """Nothing from a store that does not answer: a frozen one would keep the page waiting."""
    answers = any(each.is_up for each in health.asked.stores() if each.store == store)
    return (or_none(read) or []) if answers else []


def _holds() -> list[Metric]:
    holds = count_live_holds()
    return [
        _gauge("live_holds", "Holds that live now.", holds.live),
        _gauge("confirming_holds", "Holds pinned by a confirm under way.", holds.confirming),
    ]


def _streams() -> list[Metric]:
    streams = stream_backlog()
    return [
        _gauge("hold_facts_unshipped", "Facts of holds not yet in MongoDB.", streams.hold_facts),
        _gauge("request_log_backlog", "Requests not yet in MongoDB.", streams.requests),
        _gauge("odd_members", "Holds that no script could read.", streams.odd_members),
        CounterMetricFamily(
            "seatlock_request_log_dropped",
            "Requests whose log entry there was no room for.",
            value=streams.requests_dropped,
        ),
    ]


def _bookings() -> list[Metric]:
    made = GaugeMetricFamily("seatlock_bookings", "Bookings ever made.", labels=["status"])
    for status in (Booking.Status.CONFIRMED, Booking.Status.CANCELLED):
        made.add_metric([status.value], Booking.objects.filter(status=status).count())
    return [
        made,
        _gauge("outbox_unshipped", "Facts in PostgreSQL not yet in MongoDB.", outbox_pending()),
    ]


def _sink() -> list[Metric]:
    sink = sink_state()
    found: list[Metric] = [
        _gauge("dead_letters", "Messages no collection took.", sink.dead_letters),
        _gauge("gaps", "Times Redis lost memory with facts in it.", sink.gaps),
    ]
    if sink.shipper_seen_at is not None:
        seen = sink.shipper_seen_at.timestamp()
        found.append(_gauge("shipper_seen_timestamp_seconds", "When the shipper last ran.", seen))
    return found


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"seatlock_{name}", documentation, value=value)
