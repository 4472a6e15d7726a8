"""Take departures off sale and put them back, any number at once."""

from collections.abc import Sequence
from typing import Final, Literal

from django.db import transaction

from config.outbox.facts import append
from trains import facts
from trains.models import Departure
from trains.services.touch_departures import touch_departures

_WORDS: Final[dict[str, Literal["opened", "closed"]]] = {
    Departure.Status.OPEN: "opened",
    Departure.Status.CLOSED: "closed",
}


def set_status(
    *, departure_ids: Sequence[int], status: Departure.Status, actor_id: int | None
) -> int:
    """Open or close these departures; return how many were not so before.

    Closing ends sales, it cancels nothing: holds and bookings stay what they are. What was
    withdrawn stays closed.
    """
    with transaction.atomic():
        changing = list(
            Departure.objects.select_for_update(no_key=True)
            .filter(pk__in=departure_ids, withdrawn_at=None)
            .exclude(status=status)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        Departure.objects.filter(pk__in=changing).update(status=status)
        revisions = touch_departures(fields=["status"], actor_id=actor_id, departure_ids=changing)
        append(
            *(
                facts.departure_decided(
                    departure_id=departure,
                    revision=revision,
                    what=_WORDS[status],
                    actor_id=actor_id,
                )
                for departure, revision in revisions.items()
            )
        )
    return len(changing)
