"""`manage.py erase_person NAME`: personal data of an account's travellers, erased for good."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from reservations.services.erase_passengers import erase_passengers
from users.models import User
from users.services.travellers import delete_travellers


class Command(BaseCommand):
    help = (
        "Erase the saved travellers of an account and who travelled on its bookings, journeys to "
        "come included. The bookings stay. The account itself is closed in the admin."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="username or e-mail")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        name = options["name"]
        user = User.objects.filter(username__iexact=name).first()
        user = user or User.objects.filter(email__iexact=name).first()
        if user is None:
            raise CommandError(f"There is no account {name}.")
        saved = delete_travellers(owner=user.pk)
        seats = erase_passengers(user=user.pk, actor=None, journeys_to_come=True)
        self.stdout.write(f"{saved} saved travellers and {seats} passengers were erased")
