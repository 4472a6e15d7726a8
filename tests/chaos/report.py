"""What the drill saw, for people and for programs."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.chaos.audit import Audit
from tests.chaos.faults import Injected
from tests.chaos.probe import Recovered
from tests.history.events import History
from tests.history.judge import Judgement


@dataclass(frozen=True, kw_only=True)
class Episode:
    """One fault and what came of it. `wrong`: what `check_invariants` said after it."""

    injected: Injected
    recovered: Recovered
    gaps: int
    expected_gaps: int
    wrong: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """`needed`: how many calls had to overlap faults."""

    history: History
    episodes: Sequence[Episode]
    at_rest: tuple[str, ...]
    audit: Audit
    judgement: Judgement
    needed: int
    seconds: float
    seed: int

    @property
    def overlapping(self) -> int:
        """Calls under way while some fault was."""
        spans = [(each.injected.began, each.injected.ended) for each in self.episodes]
        return sum(
            any(call.invoked <= ended and began <= call.end for began, ended in spans)
            for call in self.history.calls
            if call.end - call.invoked < 60  # not: everything after a lost answer
            or any(began <= call.invoked <= ended for began, ended in spans)
        )

    @property
    def codes(self) -> dict[str, int]:
        """Answers by status and problem code."""
        counted = Counter(
            "no answer" if call.status is None else f"{call.status} {call.code}".strip()
            for call in self.history.calls
        )
        return dict(sorted(counted.items()))

    def faults(self) -> Iterator[str]:
        """Every reason for which the drill has failed."""
        for episode in self.episodes:
            name = str(episode.injected.fault)
            if not episode.injected.is_proven:
                yield f"{name} was not really injected: {episode.injected.proof}"
            if episode.recovered.sale_seconds is None:
                yield f"{name}: the sale did not go on"
            elif episode.recovered.trail_seconds is None:
                yield f"{name}: its facts did not arrive"
            if episode.gaps != episode.expected_gaps:
                yield f"{name}: {episode.gaps} gap documents, not {episode.expected_gaps}"
            yield from (f"after {name}: {words}" for words in episode.wrong)
        if self.overlapping < self.needed:
            yield f"only {self.overlapping} calls overlapped faults, {self.needed} are needed"
        yield from (f"at rest: {words}" for words in self.at_rest)
        yield from (f"lost: {words}" for words in self.audit.lost)
        yield from (f"doubled: {words}" for words in self.audit.doubled)
        yield from (f"history: {words}" for words in self.judgement.faults)
        yield from (f"history, given up: {words}" for words in self.judgement.undecided)
        if self.judgement.groups and len(self.judgement.given_up) == self.judgement.groups:
            yield "history: no group of seats was judged together, all were given up"


def as_json(report: Report) -> str:
    """The figures; the history is a file of its own."""
    return json.dumps(
        {
            "good": not list(report.faults()),
            "seed": report.seed,
            "seconds": round(report.seconds, 1),
            "requests": len(report.history.calls),
            "overlapping_faults": report.overlapping,
            "answers": report.codes,
            "faults": [asdict(episode) for episode in report.episodes],
            "bookings": report.audit.bookings,
            "documents": report.audit.documents,
            "lost": report.audit.lost,
            "doubled": report.audit.doubled,
            "excused_by_gaps": report.audit.excused,
            "seats_judged": report.judgement.seats,
            "groups_judged": report.judgement.groups - len(report.judgement.given_up),
            "groups_given_up": len(report.judgement.given_up),
            "wrong": list(report.faults()),
        },
        indent=2,
    )


def as_markdown(report: Report) -> str:
    """The same for people."""
    wrong = list(report.faults())
    lines = [
        f"# Chaos drill: {'good' if not wrong else 'FAILED'}",
        "",
        (
            f"{len(report.history.calls)} requests in {report.seconds:.0f} s, {report.overlapping}"
            f" of them while a fault was on; {report.audit.bookings} bookings,"
            f" {report.audit.documents} documents; {len(report.audit.lost)} lost,"
            f" {len(report.audit.doubled)} doubled; {report.audit.excused} facts of holds went with"
            f" Redis's memory and are covered by a gap document. The history of"
            f" {report.judgement.seats} seats was judged, each alone and in"
            f" {report.judgement.groups} groups asked for together, of which"
            f" {len(report.judgement.given_up)} were too large to search. Seed {report.seed}."
        ),
        "",
        "| fault | sale goes on after | facts arrive after | proof |",
        "|---|---|---|---|",
    ]
    for episode in report.episodes:
        sale, trail = episode.recovered.sale_seconds, episode.recovered.trail_seconds
        lines.append(
            f"| {episode.injected.fault} | {_seconds(sale)} | {_seconds(trail)} |"
            f" {episode.injected.proof} |"
        )
    lines += ["", "| answer | times |", "|---|---|"]
    lines += [f"| {code} | {number} |" for code, number in report.codes.items()]
    if wrong:
        lines += ["", "## What is wrong", "", *(f"- {words}" for words in wrong)]
    return "\n".join(lines) + "\n"


def save(report: Report, folder: Path) -> None:
    """`report.json` and `report.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(as_json(report))
    (folder / "report.md").write_text(as_markdown(report))


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)  # noqa: T201  # the drill's voice


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"
