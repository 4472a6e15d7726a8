"""Numbers out of samples: percentiles, medians with their spread."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.bench.loop import Outcome


@dataclass(frozen=True)
class Spread:
    """The median of some rounds, and the least and the most of them."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        known = np.array(list(values), dtype=float)
        return cls(*(round(float(v), 4) for v in (np.median(known), known.min(), known.max())))


def latencies(outcome: Outcome, names: Sequence[str]) -> Any:
    """All latencies of these calls in seconds, whatever the code."""
    found = [np.array(times) for (name, _), times in outcome.samples.items() if name in names]
    return np.concatenate(found) if found else np.array([])


def percentiles_ms(seconds: Any) -> dict[str, float]:
    """p50, p95, p99 and the worst, in milliseconds."""
    if not len(seconds):
        return {}
    p50, p95, p99 = np.percentile(seconds, [50, 95, 99])
    values = {"p50": p50, "p95": p95, "p99": p99, "max": np.max(seconds)}
    return {name: round(float(value) * 1000, 2) for name, value in values.items()}
