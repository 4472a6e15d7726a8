"""Change a train: its name, stops, coaches and days.

    staff                        PostgreSQL                    a confirm under way
      | lock train, departures ----->|                              |
      | (a booking's row must first  |<-------- insert booking ------|  waits, or was seen
      |  lock its departure's key)   |                              |
      | ask the guards: sales?       |                              |
      | write, COMMIT -------------->|                              |
      | announce ------------------> seat images follow

Coaches are added and grow, never shrink or go: a seat keeps its place in the seat image for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from config.errors import Invalid, NotFound
from config.outbox.facts import append
from trains import facts
from trains.models import Coach, Train
from trains.proposals import ProposedCoach, ProposedStop, check_coaches
from trains.services.change_days import change_days
from trains.services.change_stops import change_stops, current_stops
from trains.services.choose_templates import choose_templates
from trains.services.create_short_train import two_stops
from trains.services.find_stations import find_or_make_station
from trains.services.generate_seats import generate_seats
from trains.services.touch_departures import touch_departures


@dataclass(frozen=True, kw_only=True)
class TrainChanges:
    """What staff want changed; None leaves a thing as it is.

    The lower half is the short form: its stops only for a train with two of them, its capacity
    only for a train with one coach.
    """

    name: str | None = None
    stops: Sequence[ProposedStop] | None = None
    coaches: Sequence[ProposedCoach] | None = None
    weekdays: int | None = None
    source: str | None = None
    destination: str | None = None
    departs_at: int | None = None
    duration_minutes: int | None = None
    distance_km: Decimal | None = None
    capacity: int | None = None


def change_train(*, number: str, changes: TrainChanges, actor_id: int | None) -> Train:
    """Change the train in one transaction and return it.

    Coaches that are listed are added, or grow; others stay. Days taken away close their
    departures, days added open theirs. Raises `NotFound`, `Invalid` by field, `TrainHasSales`
    and `TrainBelongsToFeed`. A change that changes nothing leaves the revision alone.
    """
    with transaction.atomic():
        train = Train.objects.select_for_update(no_key=True).filter(number=number).first()
        if train is None:
            raise NotFound(f"There is no train {number}.")
        changed: list[str] = []
        if changes.name is not None and changes.name != train.name:
            train.name = changes.name
            changed.append("name")
        stops = _stops_wanted(train, changes)
        if stops is not None and change_stops(train=train, stops=stops):
            changed.append("stops")
        if changes.weekdays is not None and change_days(
            train=train, weekdays=changes.weekdays, actor_id=actor_id
        ):
            changed.append("runs_on")
        if _grow(train, _coaches_wanted(train, changes), actor_id):
            changed.append("coaches")
        if changed:
            _say(train, changed, actor_id)
    return train


def _say(train: Train, changed: list[str], actor_id: int | None) -> None:
    train.revision = Train.objects.values_list("revision", flat=True).get(pk=train.pk) + 1
    train.save(update_fields=["name", "timezone", "revision"])
    append(
        facts.train_changed(
            train_id=train.pk,
            number=train.number,
            revision=train.revision,
            fields=changed,
            actor_id=actor_id,
        )
    )
    if changed != ["coaches"]:  # new seats have touched them already
        touch_departures(fields=changed, actor_id=actor_id, train_ids=[train.pk])


def _stops_wanted(train: Train, changes: TrainChanges) -> Sequence[ProposedStop] | None:
    """The stops of the full form, or those that the short form comes to."""
    if changes.stops is not None:
        return changes.stops
    short = ("source", "destination", "departs_at", "duration_minutes", "distance_km")
    given = [name for name in short if getattr(changes, name) is not None]
    if not given:
        return None
    now = current_stops(train)
    if len(now) != 2:
        raise Invalid({given[0]: [f"This train has {len(now)} stops: send `stops`."]})
    return _short_stops(now, changes)


def _short_stops(now: Sequence[ProposedStop], changes: TrainChanges) -> list[ProposedStop]:
    leaves, arrives = now[0].departure or 0, now[1].arrival or 0
    minutes = ((now[1].day or 1) - (now[0].day or 1)) * 1440 + (arrives - leaves) // 60
    source = _code(changes.source, field="source") or now[0].station
    destination = _code(changes.destination, field="destination") or now[1].station
    if source == destination:
        raise Invalid({"destination": ["It is the same station as the source."]})
    moved = (source, destination) != (now[0].station, now[1].station)
    return two_stops(
        source=source,
        destination=destination,
        departs_at=leaves if changes.departs_at is None else changes.departs_at,
        duration_minutes=changes.duration_minutes or minutes,
        distance_km=changes.distance_km or (None if moved else now[1].distance_km),
    )


def _code(called: str | None, *, field: str) -> str | None:
    return None if called is None else find_or_make_station(field=field, called=called).code


def _coaches_wanted(train: Train, changes: TrainChanges) -> Sequence[ProposedCoach]:
    if changes.coaches is not None:
        return changes.coaches
    if changes.capacity is None:
        return ()
    coaches = list(Coach.objects.filter(train=train)[:2])
    if len(coaches) != 1:
        raise Invalid({"capacity": ["This train has several coaches: send `coaches`."]})
    return [
        ProposedCoach(
            label=coaches[0].label, travel_class=coaches[0].travel_class, seats=changes.capacity
        )
    ]


def _grow(train: Train, wanted: Sequence[ProposedCoach], actor_id: int | None) -> bool:
    """Add the coaches that are new and let the others grow; whether anything changed."""
    if not wanted:
        return False
    present = {coach.label: coach for coach in Coach.objects.filter(train=train)}
    fresh = [coach for coach in wanted if coach.label not in present]
    grown = [
        coach
        for index, proposed in enumerate(wanted)
        if proposed.label in present
        for coach in _grown(present[proposed.label], proposed, index)
    ]
    order = max((coach.order for coach in present.values()), default=-1) + 1
    added = choose_templates(fresh, mode=train.mode, first_order=order)
    check_coaches([(coach.label, coach.capacity) for coach in (*present.values(), *added)])

    # From here the coaches must come to be.
    for coach in added:
        coach.train = train
    Coach.objects.bulk_update(grown, ["capacity"])
    made = Coach.objects.bulk_create(added)
    generate_seats(coach_ids=[coach.pk for coach in (*grown, *made)], actor_id=actor_id)
    return bool(grown or made)


def _grown(coach: Coach, proposed: ProposedCoach, index: int) -> list[Coach]:
    """The coach with its new capacity, or nothing when it has that many seats already."""
    if proposed.travel_class != coach.travel_class:
        raise Invalid({f"coaches.{index}.travel_class": ["A coach keeps its class."]})
    if proposed.seats is not None and proposed.seats < coach.capacity:
        raise Invalid({f"coaches.{index}.seats": [f"A coach never shrinks: {coach.capacity} now."]})
    if proposed.seats is None or proposed.seats == coach.capacity:
        return []
    coach.capacity = proposed.seats
    return [coach]
