"""`manage.py check_invariants`: is everything still true that must be? Safe beside live traffic."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.invariants import check_trail
from config import clock
from reservations.invariants.checks import check_engine
from reservations.invariants.judging import FINDINGS_SHOWN, PATIENCE_SECONDS, Result, Scope


class Command(BaseCommand):
    help = "Check what must always be true of holds, bookings and facts, over all three stores."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--departure", type=int, action="append", help="only this one (repeat)")
        parser.add_argument("--json", action="store_true", help="the whole report as JSON")
        parser.add_argument(
            "--at-rest",
            action="store_true",
            help="nothing runs: pins, and facts that wait, are wrong too",
        )
        parser.add_argument(
            "--patience",
            type=float,
            default=PATIENCE_SECONDS,
            metavar="SECONDS",
            help=f"how long something must stay wrong to be reported ({PATIENCE_SECONDS:.0f})",
        )

    def handle(self, **options: Any) -> None:
        """Exit status 0: all is true. 1: something is wrong, or a store could not be asked."""
        departures = options["departure"]
        scope = Scope(
            departures=None if departures is None else tuple(departures),
            patience_seconds=options["patience"],
            at_rest=options["at_rest"],
        )
        results = [*check_engine(scope), *check_trail(scope)]
        self.stdout.write(_as_json(results) if options["json"] else _as_text(results))
        if not all(result.is_good for result in results):
            raise CommandError("Something is not as it must be.")


def _as_json(results: list[Result]) -> str:
    report = {
        "checked_at": clock.now().isoformat(),
        "good": all(result.is_good for result in results),
        "checks": [asdict(result) for result in results],
    }
    return json.dumps(report, indent=2)


def _as_text(results: list[Result]) -> str:
    lines = []
    for result in results:
        word = "UNKNOWN" if result.unanswered else "WRONG" if result.wrong else "good"
        lines.append(f"{word:<8} {result.name:<26} {result.seen:>9}  {result.about}")
        lines += [f"         - {words}" for words in result.wrong[:FINDINGS_SHOWN]]
        hidden = len(result.wrong) - FINDINGS_SHOWN
        if hidden > 0:
            lines.append(f"         - and {hidden} more (--json shows them)")
        if result.unanswered:
            lines.append(f"         - {result.unanswered}")
    bad = sum(not result.is_good for result in results)
    lines.append(f"{len(results) - bad} of {len(results)} checks are good")
    return "\n".join(lines)
