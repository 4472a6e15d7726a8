"""`manage.py open_departures [--days N] [--train NUMBER …]`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trains import limits
from trains.models import Train
from trains.services.open_departures import open_departures


class Command(BaseCommand):
    help = "Open departures for sale over the rolling window; repeatable."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, help="days ahead, in place of SALE_WINDOW_DAYS")
        parser.add_argument("--train", action="append", metavar="NUMBER", help="only this train")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        days: int | None = options["days"]
        if days is not None and not 0 <= days <= limits.DAYS_AHEAD_MAX:
            raise CommandError(f"--days must be 0 to {limits.DAYS_AHEAD_MAX}")
        made = open_departures(window_days=days, train_ids=_ids(options["train"]))
        self.stdout.write(f"{made} departures opened")


def _ids(numbers: list[str] | None) -> list[int] | None:
    if not numbers:
        return None
    found = dict(Train.objects.filter(number__in=numbers).values_list("number", "pk"))
    unknown = [number for number in numbers if number not in found]
    if unknown:
        raise CommandError(f"there is no train {', '.join(unknown)}")
    return list(found.values())
