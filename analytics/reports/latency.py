"""How long answers take, per endpoint.

MongoDB 6.0 has no $percentile, and pushing every duration into one array has no bound. So
durations are counted in buckets of three significant digits (at most 900 a decade, an error of
at most 0.5 %), and ranks are read off the running sum: nearest rank, the ceil(p * n)-th smallest.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from analytics.reports.ask import Pipeline, ask
from analytics.schema import REQUESTS

PERCENTILES: Final = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}
MAX_ENDPOINTS: Final = 500


@dataclass(frozen=True, kw_only=True)
class EndpointLatency:
    """Milliseconds inside the application; `server_errors`: answers with a status from 500."""

    endpoint: str
    method: str
    requests: int
    server_errors: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


def latency(*, since: datetime) -> list[EndpointLatency]:
    """Every endpoint that was asked since then, the busiest first."""
    return [EndpointLatency(**row) for row in ask(REQUESTS, pipeline(since=since))]


def pipeline(*, since: datetime) -> Pipeline:
    """Index `time_latency`, covered."""
    endpoint = {"endpoint": "$endpoint", "method": "$method"}
    return [
        {"$match": {"at": {"$gte": since}}},
        {
            "$group": {
                "_id": {**endpoint, "bucket": _bucket("$duration_ms")},
                "count": {"$sum": 1},
                "errors": {"$sum": {"$toInt": {"$gte": ["$status", 500]}}},
            }
        },
        {
            "$setWindowFields": {
                "partitionBy": {"endpoint": "$_id.endpoint", "method": "$_id.method"},
                "sortBy": {"_id.bucket": 1},
                "output": {
                    "rank": _sum_of_counts("current"),
                    "total": _sum_of_counts("unbounded"),
                },
            }
        },
        {
            "$group": {
                "_id": {"endpoint": "$_id.endpoint", "method": "$_id.method"},
                "requests": {"$sum": "$count"},
                "server_errors": {"$sum": "$errors"},
                "max_ms": {"$max": "$_id.bucket"},
                **{name: _first_at(share) for name, share in PERCENTILES.items()},
            }
        },
        {"$sort": {"requests": -1, "_id.endpoint": 1, "_id.method": 1}},
        {"$limit": MAX_ENDPOINTS},
        {"$replaceWith": {"$mergeObjects": ["$_id", {"$unsetField": _ID_OF_ROOT}]}},
    ]


_ID_OF_ROOT: Final[dict[str, Any]] = {"field": "_id", "input": "$$ROOT"}


def _bucket(duration: str) -> dict[str, Any]:
    """The duration in ms to three significant digits; all below 0.01 ms are 0.01."""
    at_least = {"$max": [duration, 0.01]}
    return {"$round": [at_least, {"$subtract": [2, {"$floor": {"$log10": at_least}}]}]}


def _sum_of_counts(until: str) -> dict[str, Any]:
    return {"$sum": "$count", "window": {"documents": ["unbounded", until]}}


def _first_at(share: float) -> dict[str, Any]:
    """The smallest bucket whose running sum has reached that share of all."""
    reached = {"$gte": ["$rank", {"$ceil": {"$multiply": ["$total", share]}}]}
    return {"$min": {"$cond": [reached, "$_id.bucket", None]}}
