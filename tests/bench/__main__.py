"""`python -m tests.bench bench|record|rush|profile|scale`, beside stores of its own (Makefile)."""

import os
import sys
from dataclasses import replace
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

            sys.stdout.write(publish_bench(run_bench(_bench_plan())))
            return 0
        case ["record"]:
            from tests.bench.record import publish_record, run_record

            report = run_record(_minute())
            sys.stdout.write(publish_record(report) + "\n")
            return 1 if report["wrong"] else 0
        case ["rush"]:
            from tests.bench.rush import publish_rush, run_rush

            report = run_rush(_crowd())
            sys.stdout.write(publish_rush(report) + "\n")
            return 1 if report["wrong"] else 0
        case ["scale"]:
            from tests.bench.scale import run_scale
            from tests.bench.scale_report import publish_scale

            sys.stdout.write(publish_scale(run_scale(_scale())) + "\n")
            return 0
        case ["profile"]:
            from tests.bench.profile import run_profile

            calls = (os.environ.get("CALLS") or "lock_1,confirm,seat_map,search").split(",")
            sys.stdout.write(run_profile(calls) + "\n")
            return 0
    raise SystemExit(__doc__)


def _bench_plan() -> Any:
    from tests.bench.bench import Plan

    return Plan(seconds=float(os.environ.get("SECONDS") or 2), rounds=_number("ROUNDS", 4))


def _minute() -> Any:
    from tests.bench.record import Minute

    minute = Minute()
    return replace(
        minute,
        seconds=float(os.environ.get("SECONDS") or minute.seconds),
        connections=_number("CONNECTIONS", minute.connections),
        size=replace(minute.size, travellers=_number("TRAVELLERS", minute.size.travellers)),
    )


def _crowd() -> Any:
    from tests.bench.rush import Crowd

    return Crowd(travellers=_number("TRAVELLERS", 10_000), connections=_number("CONNECTIONS", 512))


def _scale() -> Any:
    from tests.bench.scale import Scale

    scale = Scale()
    share = float(os.environ.get("SHARE") or 1)  # of bookings and holds; more is left out
    return replace(
        scale,
        bookings=[n for n in scale.bookings if n <= max(scale.bookings) * share],
        holds=[n for n in scale.holds if n <= max(scale.holds) * share],
    )


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
