"""The report of `make bench` as a page: tables for people, JSON for programs, two plots."""

from typing import Any

from tests.bench import pages, plots


def publish_bench(report: dict[str, Any]) -> str:
    """Write JSON, plots and the page's block; the block."""
    pages.keep_json("bench", report)
    _plot(report)
    block = _markdown(report)
    pages.put("bench", block)
    return block + "\n"


def _markdown(report: dict[str, Any]) -> str:
    plan = report["plan"]
    how = (
        f"{plan['rounds']} rounds of {plan['seconds']} s a row, {report['seconds']} s in all; "
        "medians, with the least and the most."
    )
    parts = [f"{pages.machine_line(report['machine'])} {how}"]
    for connections in plan["connections"]:
        rows = [row for row in report["rows"] if row["connections"] == connections]
        floors = [row["floor"]["median"] for row in rows if "floor" in row]
        parts += [
            f"**{connections} connections, closed loop.** The floor: {_middle(floors):,.0f}/s.",
            pages.table(
                ("call", "a second", "× floor", "by CPU", "p50 ms", "p99 ms", "CPU a call, µs"),
                [_row(row) for row in rows],
            ),
        ]
    parts += ["![Calls a second](bench/bench-rates.svg)", *_open(report), *_background(report)]
    return "\n\n".join(parts)


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    rate, latency = row["rate"], row["latency_ms"]
    void = f" **void**: {row['faults'][0][:80]}" if row["void"] else ""
    return (
        row["title"] + void,
        f"{rate['median']:,.0f} ({rate['least']:,.0f}–{rate['most']:,.0f})",
        _ratio(row.get("ratio")),
        f"{row['cpu_ratio']['median']:.2f}" if "cpu_ratio" in row else "",
        f"{latency.get('p50', 0):.1f}",
        f"{latency.get('p99', 0):.1f}",
        ", ".join(f"{part} {used:,.0f}" for part, used in _by_weight(row["cpu_us"])),
    )


def _ratio(ratio: dict[str, float] | None) -> str:
    if ratio is None:
        return ""
    return f"{ratio['median']:.2f} ({ratio['least']:.2f}–{ratio['most']:.2f})"


def _by_weight(cpu_us: dict[str, float]) -> list[tuple[str, float]]:
    """Parts that use a hundredth of the whole or more, heaviest first."""
    least = sum(cpu_us.values()) / 100
    ordered = sorted(cpu_us.items(), key=lambda item: -item[1])
    return [(part, used) for part, used in ordered if used >= least]


def _open(report: dict[str, Any]) -> list[str]:
    if not report["open"]:
        return []
    head = "pairs a second", "reached", "lock p50 ms", "p99", "confirm p50 ms", "p99"
    words = (
        "**Open loop**, pairs of lock and confirm begun at a fixed rate; latency from the moment "
        "each was meant to be sent."
    )
    rows = pages.table((*head, "generator late ms"), [_open_row(each) for each in report["open"]])
    return [words, rows, "![Latency at fixed rates](bench/bench-open.svg)"]


def _open_row(each: dict[str, Any]) -> tuple[str, ...]:
    lock, confirm = each["lock"], each["confirm"]
    void = f" **void**: {each['faults'][0][:80]}" if each["void"] else ""
    times = (lock.get("p50"), lock.get("p99"), confirm.get("p50"), confirm.get("p99"))
    return (
        f"{each['rate']}{void}",
        f"{each['reached']:,.0f}",
        *(f"{value or 0:.1f}" for value in times),
        f"{each['generator_late_ms']:.1f}",
    )


def _background(report: dict[str, Any]) -> list[str]:
    shipping, imported, promises = report["shipping"], report["import"], report["promises"]
    shipped = f"{shipping['rate']:,.0f} documents/s into MongoDB, {shipping['shipped']:,} in all"
    rows = f"{imported['rate']:,.0f} rows of a feed/s ({imported['trips']:,} trips)"
    booked = f"{promises['confirmed_over_http']:,} over HTTP, {promises['by_pgbench']:,} by pgbench"
    as_many = "as many" if promises["kept"] else "**not as many**"
    lines = [
        f"- shipping what the rounds left: {shipped}",
        f"- import: {rows}",
        f"- bookings answered: {booked}; in PostgreSQL: {promises['bookings']:,}, {as_many}",
    ]
    if report["engine"]:
        lines.append(_engine(report["engine"]))
    for each in report["calibration"]:
        known = {name: each[name] for name in ("wrk", "redis_benchmark") if each[name]}
        said = ", ".join(f"{name} {rate:,.0f}/s" for name, rate in known.items())
        if said:
            lines.append(f"- generators of others at {each['connections']} connections: {said}")
    return ["\n".join(lines)]


def _engine(engine: dict[str, Any]) -> str:
    cpu = ", ".join(f"{part} {used:,.0f}" for part, used in _by_weight(engine["cpu_us"]))
    return (
        f"- without HTTP, {engine['processes']} processes, {engine['batch']} in a call: "
        f"{engine['bookings_a_second']:,.0f} confirmed bookings/s ({engine['booked']:,}; CPU of "
        f"each, µs: {cpu}), {engine['counts_a_second']:,.0f} counts of a departure's stretch/s"
    )


def _plot(report: dict[str, Any]) -> None:
    titles = list(dict.fromkeys(row["title"] for row in report["rows"]))
    found = {(row["title"], row["connections"]): row["rate"]["median"] for row in report["rows"]}
    plots.bars(
        pages.plot_path("bench-rates"),
        "Calls a second",
        titles,
        {
            f"{connections} connections": [found.get((title, connections)) for title in titles]
            for connections in report["plan"]["connections"]
        },
    )
    plots.lines(
        pages.plot_path("bench-open"),
        "Latency from the intended moment",
        {
            f"{call} {rank}": [
                (each["rate"], each[call][rank]) for each in report["open"] if each[call]
            ]
            for call in ("lock", "confirm")
            for rank in ("p50", "p99")
        },
        x="pairs begun a second",
        y="ms",
    )
