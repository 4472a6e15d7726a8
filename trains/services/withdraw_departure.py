"""Take a departure out of the timetable for good: it does not run, and never is on sale again."""

from django.db import transaction

from config import clock
from config.errors import NotFound
from config.outbox.facts import append
from trains import facts
from trains.models import Departure
from trains.services.touch_departures import touch_departures


def withdraw_departure(*, departure_id: int, actor_id: int | None) -> bool:
    """Withdraw it, in the caller's transaction or one of its own; False if it was already.

    What was sold on it is whoever sold it's to give back. Raises `NotFound`.
    """
    with transaction.atomic():
        departure = Departure.objects.select_for_update(no_key=True).filter(pk=departure_id).first()
        if departure is None:
            raise NotFound(f"There is no departure {departure_id}.")
        if departure.withdrawn_at is not None:
            return False
        departure.withdrawn_at = clock.now()
        departure.status = Departure.Status.CLOSED
        departure.save(update_fields=["withdrawn_at", "status"])
        revisions = touch_departures(
            fields=["status"], actor_id=actor_id, departure_ids=[departure_id]
        )
        append(
            facts.departure_decided(
                departure_id=departure_id,
                revision=revisions[departure_id],
                what="withdrawn",
                actor_id=actor_id,
            )
        )
    return True
