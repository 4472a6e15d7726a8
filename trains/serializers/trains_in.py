"""Shapes of the requests that create and change trains."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from config.http.fields import Text, TextLike, Whole
from trains import limits, names
from trains.models import Train
from trains.proposals import (
    WEEKDAYS,
    ProposedCoach,
    ProposedStop,
    TrainProposal,
    weekday_bits,
)
from trains.serializers.fields import ClockField, distance_field
from trains.services.change_train import TrainChanges
from trains.services.create_short_train import (
    DURATION_MINUTES,
    TRAVEL_CLASS,
    ShortProposal,
)

_DURATION_MINUTES_MAX = (limits.RUN_DAYS_MAX - 1) * 24 * 60


class StopIn(serializers.Serializer[Any]):
    """A stop; at least one of arrival and departure, the other is the same then."""

    station = Text(max_length=40, help_text="Code of the station.")
    arrival = ClockField(required=False, allow_null=True, default=None)
    departure = ClockField(required=False, allow_null=True, default=None)
    day = Whole(
        min_value=0,
        max_value=limits.RUN_DAYS_MAX + 1,
        required=False,
        allow_null=True,
        default=None,
        help_text="Day of the arrival. The first stop's is the service day, whatever its number.",
    )
    distance_km = distance_field(
        required=False, allow_null=True, default=None, help_text="Great circle if not given."
    )


class CoachIn(serializers.Serializer[Any]):
    """A coach; `seats` may be left out with a template, which knows its number."""

    label = TextLike(names.LABEL)  # type: ignore[assignment]  # a field by the name of a property
    travel_class = TextLike(names.TRAVEL_CLASS)
    seats = Whole(min_value=1, max_value=limits.COACH_SEATS_MAX, required=False, default=None)
    template = Text(
        max_length=40, required=False, allow_null=True, default=None, help_text="Vehicle code."
    )


def _stops(**kwargs: Any) -> serializers.ListField:
    return serializers.ListField(
        child=StopIn(), min_length=limits.STOPS_MIN, max_length=limits.STOPS_MAX, **kwargs
    )


def _coaches(**kwargs: Any) -> serializers.ListField:
    return serializers.ListField(
        child=CoachIn(), min_length=1, max_length=limits.COACHES_MAX, **kwargs
    )


def _days(**kwargs: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.ChoiceField(WEEKDAYS), min_length=1, max_length=7, **kwargs
    )


class FullTrainIn(serializers.Serializer[Any]):
    number = TextLike(names.TRAIN_NUMBER)
    name = Text(max_length=200)
    mode = serializers.ChoiceField(Train.Mode.choices, default=Train.Mode.RAIL)
    stops = _stops()
    coaches = _coaches()
    runs_on = _days()

    def proposal(self) -> TrainProposal:
        data = self.validated_data
        return TrainProposal(
            number=data["number"],
            name=data["name"],
            mode=data["mode"],
            stops=_proposed_stops(data["stops"]),
            coaches=_proposed_coaches(data["coaches"]),
            weekdays=weekday_bits(data["runs_on"]),
        )


class ShortTrainIn(serializers.Serializer[Any]):
    """Two stations (by code, or by a name that is new), one coach, every day."""

    number = TextLike(names.TRAIN_NUMBER)
    name = Text(max_length=200)
    mode = serializers.ChoiceField(Train.Mode.choices, default=Train.Mode.RAIL)
    source = Text(max_length=200)  # type: ignore[assignment]  # a field by the name of a property
    destination = Text(max_length=200)
    capacity = Whole(min_value=1, max_value=limits.COACH_SEATS_MAX)
    departs_at = ClockField(required=False, help_text="08:00 if not given.")
    duration_minutes = Whole(min_value=1, max_value=_DURATION_MINUTES_MAX, default=DURATION_MINUTES)
    travel_class = TextLike(names.TRAVEL_CLASS, default=TRAVEL_CLASS)
    distance_km = distance_field(required=False, allow_null=True, default=None)

    def proposal(self) -> ShortProposal:
        return ShortProposal(**self.validated_data)


class TrainPatch(serializers.Serializer[Any]):
    """All optional. The last six are the short form, for a train of two stops or one coach."""

    name = Text(max_length=200, required=False)
    stops = _stops(required=False)
    coaches = _coaches(required=False)
    runs_on = _days(required=False)
    source = Text(max_length=200, required=False)  # type: ignore[assignment]  # a field by the name of a property
    destination = Text(max_length=200, required=False)
    departs_at = ClockField(required=False)
    duration_minutes = Whole(min_value=1, max_value=_DURATION_MINUTES_MAX, required=False)
    distance_km = distance_field(required=False)
    capacity = Whole(min_value=1, max_value=limits.COACH_SEATS_MAX, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        fixed = {"number", "mode", "travel_class"} & set(self.initial_data)
        if fixed:
            raise serializers.ValidationError(dict.fromkeys(fixed, "It cannot be changed."))
        if "stops" in attrs and len(_SHORT_STOPS & set(attrs)):
            raise serializers.ValidationError({"stops": "Send these or the short form, not both."})
        if "coaches" in attrs and "capacity" in attrs:
            raise serializers.ValidationError({"coaches": "Send these or capacity, not both."})
        return attrs

    def changes(self) -> TrainChanges:
        data = dict(self.validated_data)
        if "stops" in data:
            data["stops"] = _proposed_stops(data["stops"])
        if "coaches" in data:
            data["coaches"] = _proposed_coaches(data["coaches"])
        if "runs_on" in data:
            data["weekdays"] = weekday_bits(data.pop("runs_on"))
        return TrainChanges(**data)


_SHORT_STOPS = {"source", "destination", "departs_at", "duration_minutes", "distance_km"}


def _proposed_stops(stops: Sequence[dict[str, Any]]) -> list[ProposedStop]:
    return [ProposedStop(**stop) for stop in stops]


def _proposed_coaches(coaches: Sequence[dict[str, Any]]) -> list[ProposedCoach]:
    return [ProposedCoach(**coach) for coach in coaches]


class TrainQuery(serializers.Serializer[Any]):
    q = serializers.CharField(
        max_length=100,
        required=False,
        allow_blank=True,
        default="",
        help_text="Beginning of the number, or part of the name.",
    )
    mode = serializers.ChoiceField(Train.Mode.choices, required=False)
