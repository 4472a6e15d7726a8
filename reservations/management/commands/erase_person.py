"""`manage.py erase_person NAME`: personal data of a person's travellers, erased for good."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from reservations.services.erase_passengers import erase_passengers
from users.services.find_person import erase_guest, find_person
from users.services.travellers import delete_travellers


class Command(BaseCommand):
    help = (
        "Erase the saved travellers of a person and who travelled on their bookings, journeys to "
        "come included: of every account and guest of the e-mail. The bookings stay. How a guest "
        "is reached is erased as well; an account itself is closed in the admin."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="username or e-mail")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        people = find_person(options["name"])
        if not people:
            raise CommandError(f"There is no account or guest {options['name']}.")
        saved = seats = 0
        for user in people:
            saved += delete_travellers(owner=user.pk)
            seats += erase_passengers(user=user.pk, actor=None, journeys_to_come=True)
            if user.is_guest:
                erase_guest(user)
        self.stdout.write(
            f"{saved} saved travellers and {seats} passengers were erased, "
            f"of {len(people)} accounts and guests"
        )
