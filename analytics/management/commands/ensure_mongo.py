from typing import Any

from django.core.management.base import BaseCommand, CommandError
from pymongo.errors import PyMongoError

from analytics.schema import ensure_schema


class Command(BaseCommand):
    help = "Make MongoDB's collections, indexes and retention what analytics/schema.py says."

    def handle(self, *args: Any, **options: Any) -> None:
        del args, options
        try:
            changes = ensure_schema()
        except PyMongoError as failed:
            raise CommandError(f"MongoDB: {failed}") from failed
        self.stdout.write("\n".join(changes) or "nothing to change")
