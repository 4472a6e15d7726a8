"""Shapes of the answers about trains. They expect `trains_in_full` or `trains_in_short`, which
read everything shown in a fixed number of queries.
"""

from typing import Any

from django.db.models import OuterRef, Prefetch, Q, QuerySet, Subquery
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from trains.classes import sort_key
from trains.models import Coach, Stop, Train
from trains.proposals import DAY_SECONDS, weekday_names
from trains.serializers.fields import clock_text


def trains_in_full() -> QuerySet[Train]:
    """Trains with all of their stops, coaches and days: five queries."""
    return Train.objects.select_related("feed").prefetch_related(
        Prefetch("stops", Stop.objects.select_related("station").order_by("sequence")),
        Prefetch("coaches", Coach.objects.select_related("template").order_by("order")),
        "calendars",
    )


def trains_in_short() -> QuerySet[Train]:
    """Trains with their first and last stop, coaches and days: four queries."""
    # A look-up by index for each stop of the page; a join against later stops reads all there are.
    last = Stop.objects.filter(train=OuterRef("train")).order_by("-sequence").values("sequence")
    ends = Stop.objects.filter(Q(sequence=0) | Q(sequence=Subquery(last[:1])))
    return Train.objects.prefetch_related(
        Prefetch("stops", ends.select_related("station").order_by("sequence")),
        "coaches",
        "calendars",
    )


class _Train(serializers.Serializer[Train]):
    number = serializers.CharField()
    name = serializers.CharField()
    mode = serializers.ChoiceField(Train.Mode.choices)
    timezone = serializers.CharField(help_text="IANA name; the times of all stops are in it.")
    runs_on = serializers.SerializerMethodField()
    seats = serializers.SerializerMethodField()

    def get_runs_on(self, train: Train) -> list[str]:
        days = 0
        for calendar in train.calendars.all():
            days |= calendar.weekdays
        return weekday_names(days)

    def get_seats(self, train: Train) -> int:
        return sum(coach.capacity for coach in train.coaches.all())


class StopOut(serializers.Serializer[Stop]):
    sequence = serializers.IntegerField()
    station = serializers.CharField(source="station.code")
    name = serializers.CharField(source="station.name")
    arrival = serializers.SerializerMethodField()
    departure = serializers.SerializerMethodField()
    day = serializers.SerializerMethodField()
    distance_km = serializers.DecimalField(max_digits=8, decimal_places=1)
    pickup = serializers.BooleanField(help_text="Travellers may board here.")
    drop_off = serializers.BooleanField(help_text="Travellers may leave here.")

    def get_arrival(self, stop: Stop) -> str:
        return clock_text(stop.arrival_seconds)

    def get_departure(self, stop: Stop) -> str:
        return clock_text(stop.departure_seconds)

    def get_day(self, stop: Stop) -> int:
        return 1 + stop.arrival_seconds // DAY_SECONDS


class CoachOut(serializers.Serializer[Coach]):
    label = serializers.CharField()  # type: ignore[assignment]  # a field by the name of a property
    travel_class = serializers.CharField()
    seats = serializers.IntegerField(source="capacity")
    template = serializers.CharField(source="template.code", allow_null=True, default=None)


class TrainOut(_Train):
    """A train in the words of the full form."""

    feed = serializers.CharField(source="feed.code", allow_null=True, default=None)
    stops = StopOut(many=True)
    coaches = CoachOut(many=True)


class SourceOut(serializers.Serializer[Stop]):
    """Where a train begins."""

    code = serializers.CharField(source="station.code")
    name = serializers.CharField(source="station.name")
    departs_at = serializers.SerializerMethodField()

    def get_departs_at(self, stop: Stop) -> str:
        return clock_text(stop.departure_seconds)


class DestinationOut(serializers.Serializer[Stop]):
    """Where a train ends; `day` 1 is the day it sets out on."""

    code = serializers.CharField(source="station.code")
    name = serializers.CharField(source="station.name")
    arrives_at = serializers.SerializerMethodField()
    day = serializers.SerializerMethodField()

    def get_arrives_at(self, stop: Stop) -> str:
        return clock_text(stop.arrival_seconds)

    def get_day(self, stop: Stop) -> int:
        return 1 + stop.arrival_seconds // DAY_SECONDS


class TrainRow(_Train):
    """A train in a list; a train without stops (of a feed being imported) has no ends."""

    source = serializers.SerializerMethodField()  # type: ignore[assignment]  # a field by the name of a property
    destination = serializers.SerializerMethodField()
    classes = serializers.SerializerMethodField()

    @extend_schema_field(SourceOut(allow_null=True))
    def get_source(self, train: Train) -> Any:
        stops = list(train.stops.all())
        return SourceOut(stops[0]).data if stops else None

    @extend_schema_field(DestinationOut(allow_null=True))
    def get_destination(self, train: Train) -> Any:
        stops = list(train.stops.all())
        return DestinationOut(stops[-1]).data if stops else None

    def get_classes(self, train: Train) -> list[str]:
        return sorted({coach.travel_class for coach in train.coaches.all()}, key=sort_key)
