from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pymongo import DESCENDING
from pymongo.errors import PyMongoError

from analytics.schema import DEAD_LETTERS
from config.stores.mongo import audit_database


class Command(BaseCommand):
    help = "Show the messages that no MongoDB collection took, latest first, as they came."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, default=20, help="how many (20)")
        parser.add_argument("--source", choices=["outbox", "audit", "requests"])

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        wanted = {"source": options["source"]} if options["source"] else {}
        try:
            letters = audit_database()[DEAD_LETTERS].find(wanted).sort("at", DESCENDING)
            for letter in letters.limit(options["limit"]):
                self.stdout.write(
                    f"{letter['at']:%Y-%m-%d %H:%M:%S} {letter['source']} {letter['place']}\n"
                    f"  {letter['reason']}\n"
                    f"  {letter['raw'].decode(errors='replace')}"
                )
        except PyMongoError as failed:
            raise CommandError(f"MongoDB: {failed}") from failed
