"""Saved travellers of an account: a bounded list, its owner's alone."""

from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction

from config.errors import NotFound, SeatlockError
from config.idempotency.services import forget_answers
from users.models import SavedTraveller, User

TRAVELLERS_MAX: Final = 30


class TooManyTravellers(SeatlockError):
    """The account has as many saved travellers as it may."""

    code = "limit-reached"

    def __init__(self) -> None:
        super().__init__(f"At most {TRAVELLERS_MAX} saved travellers.", limit=TRAVELLERS_MAX)


def save_traveller(*, owner: int, said: Mapping[str, Any]) -> SavedTraveller:
    """Add one. Raises `TooManyTravellers`; the account's row is locked, so that two requests at
    once do not pass the limit together.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=owner)
        if SavedTraveller.objects.filter(owner=owner).count() >= TRAVELLERS_MAX:
            raise TooManyTravellers
        return SavedTraveller.objects.create(owner_id=owner, **said)


def find_traveller(*, owner: int, number: int) -> SavedTraveller:
    """Mine, or `NotFound`: another's looks absent."""
    found = SavedTraveller.objects.filter(owner=owner, pk=number).first()
    if found is None:
        raise NotFound("There is no such traveller")
    return found


def change_traveller(*, owner: int, number: int, said: Mapping[str, Any]) -> SavedTraveller:
    """Raises `NotFound`."""
    traveller = find_traveller(owner=owner, number=number)
    for field, value in said.items():
        setattr(traveller, field, value)
    traveller.save(update_fields=list(said))
    return traveller


def delete_travellers(*, owner: int, number: int | None = None) -> int:
    """Delete one of mine, or all, and the answers kept for keys that show them; how many there
    were. None at all is fine.
    """
    found = SavedTraveller.objects.filter(owner=owner)
    if number is not None:
        found = found.filter(pk=number)
    with transaction.atomic():
        forget_answers(user_id=owner, member="birth_date")
        deleted, _ = found.delete()
    return deleted
