"""`make sim` and `make sim-long`: many seeds on all cores, or one seed with its whole trace.

python -m tests.simulator --seed 92         replay one, show the end of its trace
python -m tests.simulator --seeds 300       seeds 0 to 299; the first that fails is shown
"""

import argparse
import os
import sys

from tests.simulator.batch import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one")
    parser.add_argument("--seeds", type=int, default=300, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--tail", type=int, default=40, help="lines of a trace to show")
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # sets of texts shall be in one order
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        os.execve(  # noqa: S606  # this very command, with another environment
            sys.executable, [sys.executable, "-m", "tests.simulator", *sys.argv[1:]], environment
        )
    seeds = range(options.first, options.first + options.seeds)
    if options.seed is not None:
        seeds, options.jobs = range(options.seed, options.seed + 1), 1
    return run(seeds, jobs=options.jobs, tail=options.tail, is_replay=options.seed is not None)


if __name__ == "__main__":
    sys.exit(main())
