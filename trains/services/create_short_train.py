"""Create a train from its short form: two stations, one coach, every day."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import transaction

from config.errors import Invalid
from trains.models import Train
from trains.proposals import DAILY, DAY_SECONDS, ProposedCoach, ProposedStop, TrainProposal
from trains.services.create_train import create_train
from trains.services.find_stations import find_or_make_station

DEPARTS_AT_SECONDS: Final = 8 * 3600
DURATION_MINUTES: Final = 60
TRAVEL_CLASS: Final = "GEN"


@dataclass(frozen=True, kw_only=True)
class ShortProposal:
    """`departs_at` in seconds after midnight; stations by code or by a (perhaps new) name."""

    number: str
    name: str
    mode: str
    source: str
    destination: str
    capacity: int
    departs_at: int = DEPARTS_AT_SECONDS
    duration_minutes: int = DURATION_MINUTES
    travel_class: str = TRAVEL_CLASS
    distance_km: Decimal | None = None


def create_short_train(*, proposal: ShortProposal, actor_id: int | None) -> Train:
    """Make the train that `create_train` would make of the full form; new stations first.

    Its one coach is labelled by class: `GEN1`. Raises `Invalid` by field.
    """
    with transaction.atomic():
        source = find_or_make_station(field="source", called=proposal.source)
        destination = find_or_make_station(field="destination", called=proposal.destination)
        if source.pk == destination.pk:
            raise Invalid({"destination": ["It is the same station as the source."]})
        full = TrainProposal(
            number=proposal.number,
            name=proposal.name,
            mode=proposal.mode,
            stops=two_stops(
                source=source.code,
                destination=destination.code,
                departs_at=proposal.departs_at,
                duration_minutes=proposal.duration_minutes,
                distance_km=proposal.distance_km,
            ),
            coaches=[
                ProposedCoach(
                    label=f"{proposal.travel_class}1",
                    travel_class=proposal.travel_class,
                    seats=proposal.capacity,
                )
            ],
            weekdays=DAILY,
        )
        return create_train(proposal=full, actor_id=actor_id)


def two_stops(
    *,
    source: str,
    destination: str,
    departs_at: int,
    duration_minutes: int,
    distance_km: Decimal | None,
) -> list[ProposedStop]:
    """The stops of a run that leaves at `departs_at` and stops nowhere on its way."""
    arrives = departs_at + duration_minutes * 60
    return [
        ProposedStop(station=source, departure=departs_at, day=1, distance_km=Decimal(0)),
        ProposedStop(
            station=destination,
            arrival=arrives % DAY_SECONDS,
            day=1 + arrives // DAY_SECONDS,
            distance_km=distance_km,
        ),
    ]
