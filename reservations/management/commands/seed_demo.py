"""`manage.py seed_demo`: everything a stranger needs to try the product, repeatable."""

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from trains.services.load_demo_network import load_demo_network
from trains.services.load_templates import load_templates
from trains.services.open_departures import open_departures
from users.services import ensure_demo_accounts


class Command(BaseCommand):
    help = "Load vehicle templates, the demo network, departures on sale and demo accounts."

    def handle(self, *args: Any, **options: Any) -> None:
        del args, options
        began = time.monotonic()
        templates = load_templates()
        trains = load_demo_network()
        departures = open_departures()
        accounts = ensure_demo_accounts()
        self.stdout.write(
            f"{templates} vehicle templates and {trains} demo trains added, {departures} more "
            f"departures opened, {len(accounts)} demo accounts ready "
            f"({time.monotonic() - began:.1f} s)"
        )
        if folder := settings.ENV.seatlock_feeds:
            self._offer_feeds(Path(folder))

    def _offer_feeds(self, folder: Path) -> None:
        """Importing a national feed takes minutes, so it is offered, not done."""
        feeds = sorted(folder.glob("*.zip"))
        if not feeds:
            self.stdout.write(f"SEATLOCK_FEEDS: no .zip in {folder}")
        for feed in feeds:
            self.stdout.write(f"to import a feed: python manage.py import_gtfs {feed}")
