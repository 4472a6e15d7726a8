"""`manage.py holds`: the live holds as a table, once or watched."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from rich.box import SIMPLE
from rich.console import Console
from rich.live import Live
from rich.table import Column, Table

from reservations.holds import ids, store
from reservations.holds.members import Member, moment

WATCH_SECONDS = 1.0
WIDTH = 120  # a narrower terminal wraps lines: an id that is cut short cannot be copied


class Command(BaseCommand):
    help = "Print the live holds: whose, which seats, how long they still have."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--departure", type=int, help="only this departure")
        parser.add_argument("--user", type=int, help="only this user's (id)")
        parser.add_argument("--watch", action="store_true", help="again each second, until Ctrl-C")

    def handle(self, **options: Any) -> None:
        console = Console(file=self.stdout)  # type: ignore[arg-type]  # it writes and flushes
        console.width = max(console.width, WIDTH)
        if not options["watch"]:
            console.print(_table(options["departure"], options["user"]))
            return
        try:
            with Live(console=console, auto_refresh=False) as live:
                while True:
                    live.update(_table(options["departure"], options["user"]), refresh=True)
                    time.sleep(WATCH_SECONDS)
        except KeyboardInterrupt:
            return


def _table(departure: int | None, user: int | None) -> Table:
    now_ms = store.redis_now_ms()
    hold = Column("hold", no_wrap=True, min_width=ids.LENGTH)
    table = Table("departure", hold, "user", "seats", "legs", "state", "ends", "in s", box=SIMPLE)
    found = [
        (number, member)
        for number, member in store.live_holds()
        if departure in {None, number} and user in {None, member.user}
    ]
    for number, member in found:
        table.add_row(*_row(number, member, now_ms))
    table.caption = f"{len(found)} live holds at {moment(now_ms):%H:%M:%S} UTC"
    return table


def _row(departure: int, member: Member, now_ms: int) -> tuple[str, ...]:
    return (
        str(departure),
        member.hold,
        str(member.user),
        ", ".join(member.labels),
        f"{member.from_stop}-{member.to_stop}",
        "confirming" if member.pinned else "held",
        f"{member.expires_at:%H:%M:%S}",
        str(max(0, (member.deadline_ms - now_ms) // 1000)),
    )
