"""Queries and answers of the reports."""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from rest_framework import serializers

from analytics.reports.ask import DEFAULT_DAYS, days_ago
from analytics.staff import Moment
from config import clock
from config.http.body import INT64_MAX
from config.http.fields import MomentOrDate

_SINCE_HELP = "Moment or date (ISO 8601); a date begins at midnight in TIME_ZONE."


class SinceQuery(serializers.Serializer[Any]):
    since = MomentOrDate(default=days_ago, help_text=f"{_SINCE_HELP} Else {DEFAULT_DAYS} days ago.")


class LatencyQuery(serializers.Serializer[Any]):
    since = MomentOrDate(default=lambda: days_ago(1), help_text=f"{_SINCE_HELP} Else 24 hours ago.")


class TopRoutesQuery(SinceQuery):
    by = serializers.ChoiceField(choices=["searches", "bookings"], default="searches")
    limit = serializers.IntegerField(min_value=1, max_value=100, default=10)


def _today() -> date:
    """The service dates that are near: from yesterday, when night trains left that still run."""
    return clock.now().date() - timedelta(days=1)


def _last_on_sale() -> date:
    return clock.now().date() + timedelta(days=settings.ENV.sale_window_days + 1)


class OccupancyQuery(serializers.Serializer[Any]):
    departure = serializers.IntegerField(
        required=False, min_value=1, max_value=INT64_MAX, help_text="One, sold or not."
    )
    train = serializers.CharField(default="", allow_blank=True, max_length=40)
    first_date = serializers.DateField(default=_today, help_text="Service date, else yesterday.")
    last_date = serializers.DateField(
        default=_last_on_sale, help_text="Service date, else the last that is on sale."
    )


class RouteCountOut(serializers.Serializer[Any]):
    source = serializers.CharField()  # type: ignore[assignment]  # a field, not its setting
    destination = serializers.CharField()
    count = serializers.IntegerField()


class FunnelOut(serializers.Serializer[Any]):
    since = Moment()
    held = serializers.IntegerField(help_text="Holds taken since then.")
    extended = serializers.IntegerField(help_text="Of them, extended at least once.")
    confirmed = serializers.IntegerField()
    released = serializers.IntegerField()
    expired = serializers.IntegerField()
    open = serializers.IntegerField(help_text="Neither yet.")
    conversion = serializers.FloatField(allow_null=True, help_text="confirmed / held")
    expiry = serializers.FloatField(allow_null=True, help_text="expired / held")


class EndpointLatencyOut(serializers.Serializer[Any]):
    endpoint = serializers.CharField()
    method = serializers.CharField()
    requests = serializers.IntegerField()
    server_errors = serializers.IntegerField(help_text="Answers with a status of 500 or more.")
    p50_ms = serializers.FloatField()
    p95_ms = serializers.FloatField()
    p99_ms = serializers.FloatField()
    max_ms = serializers.FloatField()


class OccupancyOut(serializers.Serializer[Any]):
    departure = serializers.IntegerField()
    train = serializers.CharField()
    service_date = serializers.DateField()
    seats = serializers.IntegerField()
    legs = serializers.IntegerField()
    seats_sold = serializers.IntegerField(help_text="Sold for at least one leg.")
    seat_legs_sold = serializers.IntegerField()
    share = serializers.FloatField(
        allow_null=True, help_text="seat_legs_sold / (seats * legs), 0 to 1"
    )


class DemandOut(serializers.Serializer[Any]):
    time_zone = serializers.CharField(help_text="IANA name of the clock the hours are read on.")
    since = Moment()
    searches = serializers.IntegerField()
    by_hour = serializers.ListField(child=serializers.IntegerField(), min_length=24, max_length=24)
    by_weekday = serializers.DictField(child=serializers.IntegerField())
    by_weekday_and_hour = serializers.DictField(
        child=serializers.ListField(child=serializers.IntegerField())
    )
