"""Create a train, with everything it needs to be on sale at once."""

from django.db import IntegrityError, transaction

from config import clock
from config.errors import Invalid
from config.outbox.facts import append
from trains import facts, sale
from trains.models import Coach, ServiceCalendar, Stop, Train
from trains.proposals import (
    TrainProposal,
    check_coaches,
    check_neighbours,
    measure_stops,
    time_stops,
)
from trains.services.choose_templates import choose_templates
from trains.services.find_stations import find_stations
from trains.services.generate_seats import generate_seats
from trains.services.open_departures import open_departures


def create_train(*, proposal: TrainProposal, actor_id: int | None) -> Train:
    """Make the train with its stops, coaches, seats, weekly calendar and open departures.

    It runs from today (at its first station) with no end. Raises `Invalid` by field: a number in
    use, an unknown station or template, times or distances out of order, coaches out of bounds.
    """
    times = time_stops(proposal.stops)
    with transaction.atomic():
        if Train.objects.filter(number=proposal.number).exists():
            raise _number_in_use()
        stations = find_stations([stop.station for stop in proposal.stops])
        check_neighbours(stations)
        distances = measure_stops(proposal.stops, stations)
        coaches = choose_templates(proposal.coaches, mode=proposal.mode)
        check_coaches([(coach.label, coach.capacity) for coach in coaches])

        # From here the train must be made, unless somebody was quicker with its number.
        train = _insert_train(proposal, timezone=stations[0].timezone)
        train.calendars.add(_own_calendar(train, proposal.weekdays))
        Stop.objects.bulk_create(
            Stop(
                train=train,
                sequence=sequence,
                station=station,
                arrival_seconds=at.arrival_seconds,
                departure_seconds=at.departure_seconds,
                distance_km=distance,
            )
            for sequence, (station, at, distance) in enumerate(
                zip(stations, times, distances, strict=True)
            )
        )
        for coach in coaches:
            coach.train = train
        made = Coach.objects.bulk_create(coaches)
        generate_seats(coach_ids=[coach.pk for coach in made], actor_id=actor_id)
        open_departures(train_ids=[train.pk])
        append(facts.train_created(train_id=train.pk, number=train.number, actor_id=actor_id))
    return train


def _number_in_use() -> Invalid:
    return Invalid({"number": ["A train with this number exists."]})


def _insert_train(proposal: TrainProposal, *, timezone: str) -> Train:
    try:
        with transaction.atomic():
            return Train.objects.create(
                number=proposal.number, name=proposal.name, mode=proposal.mode, timezone=timezone
            )
    except IntegrityError:
        raise _number_in_use() from None


def _own_calendar(train: Train, weekdays: int) -> ServiceCalendar:
    """A calendar of no feed, for this train alone."""
    return ServiceCalendar.objects.create(
        service_id=f"train {train.number}",
        weekdays=weekdays,
        start_date=sale.local_date(clock.now(), train.timezone),
    )
