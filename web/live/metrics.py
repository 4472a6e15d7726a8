"""Counters of the live process, in Prometheus's own registry, told at `/metrics` on its port."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY: Final = CollectorRegistry()

SOCKETS: Final = Gauge("seatlock_live_sockets", "Sockets that are open", registry=REGISTRY)
DEPARTURES: Final = Gauge(
    "seatlock_live_departures", "Departures that are watched", registry=REGISTRY
)
LOOKS: Final = Counter("seatlock_live_looks", "Looks at a departure", registry=REGISTRY)
MESSAGES: Final = Counter("seatlock_live_messages", "Messages sent to sockets", registry=REGISTRY)
REFUSED: Final = Counter(
    "seatlock_live_refused", "Handshakes refused, by reason", ["reason"], registry=REGISTRY
)
DROPPED: Final = Counter(
    "seatlock_live_dropped", "Sockets closed by us, by reason", ["reason"], registry=REGISTRY
)
DELAY: Final = Histogram(
    "seatlock_live_look_delay_seconds",
    "From a change in Redis to the look that saw it",
    registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)
CONNECTED: Final = Gauge(
    "seatlock_live_redis_connected", "Whether changes are heard (1) or not (0)", registry=REGISTRY
)
