"""The command line: `python -m tests.chaos --help`."""

import argparse
import signal
import sys
from pathlib import Path

from config.embedded.processes import die_with_parent
from tests.chaos.drill import FULL_FORM, SHORT_FORM, only, rejudge, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="eight faults instead of 22")
    parser.add_argument("--seed", type=int, default=1, help="of the travellers' choices (1)")
    parser.add_argument("--judge", type=Path, metavar="FILE", help="judge a saved history again")
    parser.add_argument(
        "--fault", action="append", metavar="WORDS", help='only such, as in "redis: kill" (repeat)'
    )
    chosen = parser.parse_args()
    # Told to stop, or left alone by make: nothing that was started may stay.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    die_with_parent(signal.SIGTERM)
    if chosen.judge:
        return rejudge(chosen.judge)
    form = SHORT_FORM if chosen.short else FULL_FORM
    if chosen.fault:
        form = only(form, chosen.fault)
    return run(form, seed=chosen.seed)


if __name__ == "__main__":
    sys.exit(main())
