"""`manage.py update_messages`: bring the catalogues of translations up to date, or judge them."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from web import catalogue


class Command(BaseCommand):
    help = "Gather what the pages say, write the .po files and the .mo files made of them."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing, fail if not whole")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        if not options["check"]:
            for language in catalogue.LANGUAGES:
                catalogue.write(language, catalogue.updated(language))
        wrong = [line for each in catalogue.LANGUAGES for line in catalogue.wrong(each)]
        if wrong:
            raise CommandError("\n".join(wrong))
