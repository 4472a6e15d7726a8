"""Close, reopen, re-price one departure, or move the opening of its sale."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from config.errors import NotFound
from trains.errors import DepartureWithdrawn
from trains.models import Departure
from trains.services.set_status import set_status
from trains.services.touch_departures import touch_departures


@dataclass(frozen=True, kw_only=True)
class DepartureChanges:
    """What staff want changed; None leaves a thing as it is."""

    status: Departure.Status | None = None
    fare_factor: Decimal | None = None
    sale_opens_at: datetime | None = None


def change_departure(
    *, departure_id: int, changes: DepartureChanges, actor_id: int | None
) -> Departure:
    """Change the departure in one transaction and return it. Raises `NotFound`, and
    `DepartureWithdrawn` if it is to be put back on sale and does not run.

    Prices are those of new holds: what is held or booked keeps the fare it was told. A change
    that changes nothing leaves the revision alone.
    """
    with transaction.atomic():
        departure = (
            Departure.objects.select_for_update(no_key=True, of=("self",))
            .select_related("train")
            .filter(pk=departure_id)
            .first()
        )
        if departure is None:
            raise NotFound(f"There is no departure {departure_id}.")
        if departure.withdrawn_at is not None and changes.status == Departure.Status.OPEN:
            raise DepartureWithdrawn(departure_id)
        changed: list[str] = []
        if changes.fare_factor is not None and changes.fare_factor != departure.fare_factor:
            departure.fare_factor = changes.fare_factor
            changed.append("fare_factor")
        if changes.sale_opens_at is not None and changes.sale_opens_at != departure.sale_opens_at:
            departure.sale_opens_at = changes.sale_opens_at
            changed.append("sale_opens_at")
        if changed:
            departure.save(update_fields=changed)
            touch_departures(fields=changed, actor_id=actor_id, departure_ids=[departure.pk])
        if changes.status is not None:
            set_status(departure_ids=[departure.pk], status=changes.status, actor_id=actor_id)
        departure.refresh_from_db(fields=["status", "revision"])
    return departure
