"""Create a station by hand."""

from django.conf import settings
from django.db import IntegrityError, transaction

from config.errors import Invalid
from config.outbox.facts import append
from trains import facts
from trains.models import Station


def create_station(  # noqa: PLR0913  # the fields of a station
    *,
    code: str,
    name: str,
    latitude: float | None,
    longitude: float | None,
    timezone: str | None = None,
    actor_id: int | None,
) -> Station:
    """Make the station; `timezone` None is TIME_ZONE. Raises `Invalid` for a code in use."""
    with transaction.atomic():
        try:
            with transaction.atomic():
                station = Station.objects.create(
                    code=code,
                    name=name,
                    latitude=latitude,
                    longitude=longitude,
                    timezone=timezone or settings.TIME_ZONE,
                )
        except IntegrityError:
            raise Invalid({"code": ["A station with this code exists."]}) from None
        append(facts.station_created(station_id=station.pk, code=code, actor_id=actor_id))
    return station
