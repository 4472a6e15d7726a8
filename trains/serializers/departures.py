"""Shapes of departures as staff add and change them."""

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from config.http.fields import Amount, MomentOrDate, Text
from trains import limits
from trains.models import Departure
from trains.serializers.fields import MomentField
from trains.services.change_departure import DepartureChanges
from trains.services.create_departure import ExtraRun

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class _SaleFields(serializers.Serializer[Any]):
    fare_factor = Amount(
        max_digits=6,
        decimal_places=3,
        min_value=0,
        max_value=limits.FARE_FACTOR_MAX,
        required=False,
        help_text="Multiplies every fare of this departure.",
    )
    status = serializers.ChoiceField(Departure.Status.choices, required=False)
    sale_opens_at = MomentOrDate(
        default_timezone=UTC,
        required=False,
        help_text="When the date enters the window, if never given.",
    )

    def validate_sale_opens_at(self, value: datetime) -> datetime:
        if not _EARLIEST <= value <= _LATEST:
            raise serializers.ValidationError("Must lie between the years 2000 and 2200.")
        return value

    def validate_status(self, value: str) -> Departure.Status:
        return Departure.Status(value)


class DepartureIn(_SaleFields):
    train = Text(max_length=40, help_text="Number of the train.")
    service_date = serializers.DateField(help_text="Local date on which the train sets out.")

    def run(self) -> ExtraRun:
        return ExtraRun(**self.validated_data)


class DeparturePatch(_SaleFields):
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        fixed = {"train", "service_date"} & set(self.initial_data)
        if fixed:
            raise serializers.ValidationError(dict.fromkeys(fixed, "It cannot be changed."))
        return attrs

    def changes(self) -> DepartureChanges:
        return DepartureChanges(**self.validated_data)


class _TrainName(serializers.Serializer[Any]):
    number = serializers.CharField()
    name = serializers.CharField()


class DepartureOut(serializers.Serializer[Departure]):
    departure = serializers.IntegerField(source="pk")
    train = _TrainName()
    service_date = serializers.DateField()
    status = serializers.ChoiceField(Departure.Status.choices)
    fare_factor = serializers.DecimalField(max_digits=6, decimal_places=3)
    sale_opens_at = MomentField()
    starts_at = MomentField(help_text="Start of the service day of its times.")
    ends_at = MomentField(help_text="Arrival at the last stop.")
    revision = serializers.IntegerField(help_text="Grows with every change of this departure.")


class SeatsMade(serializers.Serializer[Any]):
    departure = serializers.IntegerField()
    seats_made = serializers.IntegerField(help_text="0 when none was missing.")
