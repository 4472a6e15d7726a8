"""Shapes of stations."""

from typing import Any
from zoneinfo import available_timezones

from rest_framework import serializers

from config.http.fields import Text, TextLike
from trains import names
from trains.models import Station
from trains.serializers.fields import DegreesField


class StationOut(serializers.ModelSerializer[Station]):
    class Meta:
        model = Station
        fields = ("code", "name", "latitude", "longitude", "timezone")


class StationIn(serializers.Serializer[Any]):
    code = TextLike(names.STATION_CODE)
    name = Text(max_length=200)
    latitude = DegreesField(limit=90, required=False, allow_null=True, default=None)
    longitude = DegreesField(limit=180, required=False, allow_null=True, default=None)
    timezone = Text(max_length=64, required=False, help_text="IANA name; TIME_ZONE if not given.")

    def validate_timezone(self, value: str) -> str:
        if value not in available_timezones():
            raise serializers.ValidationError("There is no such time zone.")
        return value


class StationQuery(serializers.Serializer[Any]):
    q = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
