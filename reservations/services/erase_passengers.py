"""Erase who travelled: the bookings of an account stay, nobody is named on them any more.

Names of passengers lie in three places: on booked seats, in answers kept for idempotency keys (a
day) and beside live holds (minutes); apps that may be left out register what they know. The trail
in MongoDB never had them.
"""

from typing import Protocol
from uuid import uuid4

from django.db import transaction
from django.db.models import Q

from config import clock
from config.idempotency.services import forget_answers
from config.outbox.facts import Fact, append
from reservations.holds import ids, people, store
from reservations.models import BookedSeat, Booking


class Eraser(Protocol):
    """Erases what an app that may be left out knows of an account's travellers; on how many."""

    def __call__(self, user: int, *, journeys_to_come: bool) -> int: ...


_erasers: list[Eraser] = []


def register(eraser: Eraser) -> None:
    if eraser not in _erasers:
        _erasers.append(eraser)


def erase_passengers(*, user: int, actor: int | None, journeys_to_come: bool = False) -> int:
    """Erase the passengers of an account's bookings; on how many seats there was one.

    Journeys to come keep theirs unless `journeys_to_come`: their tickets name them. Whoever sends
    a confirm with an old key again is found by its hold.
    """
    seats = BookedSeat.objects.filter(booking__owner=user, passenger__isnull=False)
    if not journeys_to_come:
        seats = seats.filter(
            Q(departure__ends_at__lt=clock.now()) | ~Q(booking__status=Booking.Status.CONFIRMED)
        )
    else:
        for _, member in store.holds_of(user):
            people.forget(ids.read(member.hold))

    with transaction.atomic():
        erased = BookedSeat.objects.filter(pk__in=seats.values("pk")).update(passenger=None)
        erased += sum(erase(user, journeys_to_come=journeys_to_come) for erase in _erasers)
        forget_answers(user_id=user, member="passengers")
        append(
            Fact(
                event_id=f"user:{user}:passengers-erased:{uuid4()}",
                kind="account.passengers-erased",
                subject=f"user:{user}",
                stage=1,
                body={"user": user, "seats": erased, "actor": actor},
            )
        )
    return erased
