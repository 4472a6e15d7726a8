"""`python -m tests.mutants`: see `make mutants`."""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.mutants.choosing import Chooser, read_map
from tests.mutants.generic import generic_mutants
from tests.mutants.mutant import PRODUCT, Mutant
from tests.mutants.planted import gravest, planted_bugs
from tests.mutants.proof import draw_map, prove, say
from tests.mutants.report import not_met, summary, survivors, write_report
from tests.mutants.results import CAUGHT, Results
from tests.mutants.sample import prove_sample

KEPT: Final = PRODUCT / ".data" / "mutants"


def main() -> int:
    chosen = _arguments()
    with tempfile.TemporaryDirectory(prefix="seatlock-mutants-") as name:
        folder = Path(name)
        KEPT.mkdir(parents=True, exist_ok=True)
        results = Results(KEPT / "results.jsonl")
        if chosen.sample:
            wanted = [bug for bug in planted_bugs() if bug.id in gravest()]
            return prove_sample(_with_killers(wanted, results), folder=folder)
        return _prove_all(chosen, results, folder)


def _prove_all(chosen: argparse.Namespace, results: Results, folder: Path) -> int:
    every = [*planted_bugs(), *generic_mutants()]
    mutants = [mutant for mutant in every if _is_wanted(mutant, chosen)]
    todo = mutants
    if chosen.resume:
        done = {result.key for result in results.found.values() if result.outcome == CAUGHT}
        todo = [mutant for mutant in mutants if mutant.key not in done]
    say(f"{len(todo)} mutants to meet, of {len(mutants)}")
    chooser = _chooser(chosen.map, folder)
    unsound = prove(
        _with_killers(todo, results), results, chooser, folder=folder, slots=chosen.slots
    )
    if not chosen.only:
        write_report([results.of(mutant) or not_met(mutant) for mutant in every])
    met = [results.of(mutant) or not_met(mutant) for mutant in mutants]
    sys.stdout.write(summary(met))
    for test in unsound:
        say(f"not sound, it fails without a mutant too: {test}")
    return 1 if unsound or survivors(met) else 0


def _chooser(wanted: str, folder: Path) -> Chooser:
    path = KEPT / "map.json"
    if wanted == "none":
        return Chooser({"lines": {}, "seconds": {}, "failed": []})
    if wanted == "old" and path.exists():
        return read_map(path)
    return draw_map(path, folder=folder)


def _is_wanted(mutant: Mutant, chosen: argparse.Namespace) -> bool:
    if chosen.planted and mutant.kind != "planted":
        return False
    words = [word for word in chosen.only.split(",") if word]
    return not words or any(word in f"{mutant.id} {mutant.file}" for word in words)


def _with_killers(mutants: list[Mutant], results: Results) -> list[Mutant]:
    known = results.killers()
    return [
        replace(mutant, killers=(known[mutant.id],)) if mutant.id in known else mutant
        for mutant in mutants
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="words, by commas: ids or files that have one")
    parser.add_argument("--resume", action="store_true", help="leave out what was caught before")
    parser.add_argument(
        "--map", default="new", choices=("new", "old", "none"),
        help="which test runs what: find out, as last time, or the likely tests alone",
    )  # fmt: skip
    parser.add_argument("--planted", action="store_true", help="the planted bugs alone")
    parser.add_argument("--sample", action="store_true", help="the gravest bugs alone, quickly")
    parser.add_argument("--slots", type=int, default=2, help="mutants met at the same time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
