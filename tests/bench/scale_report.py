"""The report of `make scale` as a page: a table and a plot an axis, memory, sweep, query plans."""

from typing import Any, Final

from tests.bench import pages, plots

CALLS: Final = ("lock", "confirm", "seat map", "search")
AXES: Final = {
    "departures": "departures",
    "bookings": "bookings in the table",
    "holds": "live holds",
    "seats": "seats of the departure",
    "legs": "legs of the departure",
}


def publish_scale(report: dict[str, Any]) -> str:
    """Write plots and the page's block; the block."""
    points = report["points"]
    how = (
        "Each call as a service, one after the other, in ms: p50 / p95. A point says the machine's "
        "load when it was measured."
    )
    parts = [f"{pages.machine_line(report['machine'])} {how}"]
    for axis, title in AXES.items():
        found = _axis(points, axis)
        if found:
            plots.lines(
                pages.plot_path(f"scale-{axis}"),
                f"p50 against {title}",
                {call: [(at, point[call]["p50"]) for at, point in found] for call in CALLS},
                x=title,
                y="ms",
                logarithmic_x=True,
            )
            parts += [_table(title, found), f"![p50 against {title}](bench/scale-{axis}.svg)"]
    parts += [_memory(points), _sweep(points)]
    plans = points.get("query plans", {})
    parts += [
        f"<details><summary>Plan of: {name}</summary>\n\n```\n{plan}\n```\n\n</details>"
        for name, plan in plans.items()
    ]
    block = "\n\n".join(part for part in parts if part)
    pages.put("scale", block)
    return block


def _axis(points: dict[str, Any], axis: str) -> list[tuple[int, dict[str, Any]]]:
    found = ((name.partition(" "), point) for name, point in points.items())
    return sorted((int(at), point) for (name, _, at), point in found if name == axis)


def _table(title: str, found: list[tuple[int, dict[str, Any]]]) -> str:
    return pages.table(
        (title, *CALLS, "load"),
        [
            (
                f"{at:,}",
                *(f"{point[call]['p50']:.1f} / {point[call]['p95']:.1f}" for call in CALLS),
                point["load_1"],
            )
            for at, point in found
        ],
    )


def _memory(points: dict[str, Any]) -> str:
    holds = {at: point["bytes_a_hold"] for at, point in _axis(points, "holds")}
    images = {at: point["image_bytes"] for at, point in _axis(points, "seats")}
    said = [f"{at:,} holds: {each:,.0f} B each" for at, each in holds.items() if each]
    said += [f"image of {at:,} seats × 20 legs: {size:,} B" for at, size in images.items()]
    return "Redis memory (a hold of one seat and one leg, without its audit entry): " + "; ".join(
        said
    )


def _sweep(points: dict[str, Any]) -> str:
    sweep = points.get("sweep")
    if not sweep:
        return ""
    live = sweep["live lock"]
    return (
        f"Sweep of {sweep['holds']:,} holds that ran out at once, beside live locks: "
        f"{sweep['seconds']:.1f} s, {sweep['left']} left; the locks meanwhile p50 "
        f"{live.get('p50', 0):.1f}, p99 {live.get('p99', 0):.1f} ms; commands over 5 ms: "
        f"{sweep['scripts over 5 ms']}, the slowest {sweep['slowest ms']:.1f} ms."
    )
