"""Plots as SVG files, drawn by pygal, readable without a script."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pygal  # type: ignore[import-untyped]
from pygal.style import CleanStyle  # type: ignore[import-untyped]

_LOOK: Final = {
    "style": CleanStyle,
    "js": [],
    "width": 900,
    "human_readable": True,
    "pretty_print": True,
    "legend_at_bottom": True,
}


def bars(
    path: Path, title: str, labels: Sequence[str], series: Mapping[str, Sequence[float | None]]
) -> None:
    """Horizontal bars, one group a label."""
    chart = pygal.HorizontalBar(title=title, height=120 + 45 * len(labels), **_LOOK)
    chart.x_labels = list(reversed(labels))
    for name, values in series.items():
        chart.add(name, list(reversed(values)))
    _write(chart, path)


def lines(
    path: Path,
    title: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    x: str,
    y: str,
    logarithmic_x: bool = False,
) -> None:
    """Points joined by lines. A logarithmic axis is one of powers of ten."""
    chart = pygal.XY(title=title, height=480, x_title=x, y_title=y, dots_size=3, **_LOOK)
    chart.range = (0, max((top for points in series.values() for _, top in points), default=1))
    if logarithmic_x:
        chart.xrange = None
        chart.x_value_formatter = lambda power: f"{10**power:,.0f}"
    for name, points in series.items():
        chart.add(name, [(_place(at, logarithmic=logarithmic_x), value) for at, value in points])
    _write(chart, path)


def _place(at: float, *, logarithmic: bool) -> float:
    return math.log10(max(at, 1e-9)) if logarithmic else at


def _write(chart: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(chart.render())
