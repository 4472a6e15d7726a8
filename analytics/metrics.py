"""Gauges of the shipper for Prometheus.

They are read from the stores when they are asked for, so that every process of many says the
same. A store that is away leaves its gauges out; it is seen elsewhere that it is.
"""

from collections.abc import Iterator

from prometheus_client import REGISTRY, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from analytics.operations.backlog import or_none, outbox_pending, sink_state, stream_backlog


class ShippingCollector(Collector):
    """What waits, what was set aside, what was lost."""

    def describe(self) -> list[Metric]:
        """Nothing: names are not worth a question to every store when the process starts."""
        return []

    def collect(self) -> Iterator[Metric]:
        if (pending := or_none(outbox_pending)) is not None:
            yield _gauge("outbox_unshipped", "Facts in PostgreSQL not yet in MongoDB.", pending)
        if (streams := or_none(stream_backlog)) is not None:
            facts, requests = streams.hold_facts, streams.requests
            yield _gauge("hold_facts_unshipped", "Facts of holds not yet in MongoDB.", facts)
            yield _gauge("request_log_backlog", "Requests not yet in MongoDB.", requests)
            yield _gauge("odd_members", "Holds that no script could read.", streams.odd_members)
            yield CounterMetricFamily(
                "seatlock_request_log_dropped",
                "Requests whose log entry there was no room for.",
                value=streams.requests_dropped,
            )
        if (sink := or_none(sink_state)) is not None:
            yield _gauge("dead_letters", "Messages no collection took.", sink.dead_letters)
            yield _gauge("gaps", "Times Redis lost memory with facts in it.", sink.gaps)
            if sink.shipper_seen_at is not None:
                seen = sink.shipper_seen_at.timestamp()
                yield _gauge("shipper_seen_timestamp_seconds", "When the shipper last ran.", seen)


def register() -> None:
    """Let /metrics show them. Once a process: Django calls `ready` once."""
    REGISTRY.register(ShippingCollector())


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"seatlock_{name}", documentation, value=value)
