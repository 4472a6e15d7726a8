"""Load the demo network: a small railway and a bus line of our own making, in an invented place.

It has what real ones have: a run over midnight, one of three days, several classes, days without
a train.
"""

import json
from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from trains.models import Station, Train
from trains.proposals import ProposedCoach, ProposedStop, TrainProposal, weekday_bits
from trains.services.create_train import create_train

NETWORK: Final = Path(__file__).resolve().parent.parent / "data" / "demo_network.json"


def load_demo_network() -> int:
    """Make the trains of the demo network that are missing; return how many were.

    The file speaks the words of the API's full form. Needs the shipped vehicle templates. Safe
    to repeat: what exists is left alone.
    """
    network = json.loads(NETWORK.read_text(encoding="utf-8"))
    numbers = [train["number"] for train in network["trains"]]
    present = set(Train.objects.filter(number__in=numbers).values_list("number", flat=True))
    missing = [train for train in network["trains"] if train["number"] not in present]
    with transaction.atomic():
        Station.objects.bulk_create(
            (Station(**row, timezone=network["timezone"]) for row in network["stations"]),
            ignore_conflicts=True,
        )
        for train in missing:
            create_train(proposal=_proposal(train), actor_id=None)
    return len(missing)


def _proposal(train: Mapping[str, Any]) -> TrainProposal:
    return TrainProposal(
        number=train["number"],
        name=train["name"],
        mode=train["mode"],
        stops=[_stop(stop) for stop in train["stops"]],
        coaches=[ProposedCoach(**coach) for coach in train["coaches"]],
        weekdays=weekday_bits(train["runs_on"]),
    )


def _stop(stop: Mapping[str, Any]) -> ProposedStop:
    return ProposedStop(
        station=stop["station"],
        arrival=_seconds(stop.get("arrival")),
        departure=_seconds(stop.get("departure")),
        day=stop["day"],
        distance_km=Decimal(stop["distance_km"]),
    )


def _seconds(clock: str | None) -> int | None:
    if clock is None:
        return None
    at = time.fromisoformat(clock)
    return at.hour * 3600 + at.minute * 60
