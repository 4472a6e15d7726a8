"""`python -m tests.bench bench|record|rush|scale|profile`, beside stores of its own (Makefile)."""

import os
import sys
from typing import Any

from tests.bench.served import SETTINGS


def main(arguments: list[str]) -> int:
    # Tokens made here are checked by the server: both must live as long.
    os.environ.update(SETTINGS)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    match arguments:
        case ["bench"]:
            from tests.bench.bench import run_bench
            from tests.bench.report import publish_bench

            publish_bench(run_bench(_bench_plan()))
            return 0
    raise SystemExit(__doc__)


def _bench_plan() -> Any:
    from tests.bench.bench import Plan

    return Plan(seconds=float(os.environ.get("SECONDS") or 2), rounds=_number("ROUNDS", 4))


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
