"""Queries, bodies and answers of the staff calls."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from analytics.reports.ask import days_ago
from analytics.staff import Moment
from config import clock
from config.http.body import INT64_MAX
from config.http.fields import MomentOrDate, Text
from reservations.models import Booking
from users.models import User

NOBODY = 0  # no account has it: a user nobody knows has no bookings and no trail


class NamesUser(serializers.Serializer[Any]):
    """A query that may name a user by number, username or e-mail; it becomes the number."""

    user = serializers.CharField(
        default=None, max_length=254, help_text="Number, username or e-mail of an account."
    )

    def validate_user(self, text: str | None) -> int | None:
        if text is None:
            return None
        if text.isascii() and text.isdigit():
            return min(int(text[:20]), INT64_MAX)
        named = User.objects.filter(username__iexact=text) | User.objects.filter(email__iexact=text)
        return named.values_list("pk", flat=True).first() or NOBODY


class NamesPnr(serializers.Serializer[Any]):
    """A query that may name a booking."""

    pnr = serializers.CharField(default=None, max_length=10)

    def validate_pnr(self, text: str | None) -> str | None:
        """PNRs are written in capitals; people type them as they like."""
        return text.upper() if text else text


def _departure() -> serializers.IntegerField:
    return serializers.IntegerField(default=None, min_value=1, max_value=INT64_MAX)


class BookingsQuery(NamesPnr, NamesUser):
    departure = _departure()
    status = serializers.ChoiceField(
        default=None, choices=[Booking.Status.CONFIRMED.value, Booking.Status.CANCELLED.value]
    )


class HoldsQuery(NamesUser):
    departure = _departure()


class AuditQuery(NamesPnr, NamesUser):
    hold = serializers.CharField(default=None, max_length=64)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if all(value is None for value in attrs.values()):
            raise serializers.ValidationError("Name a hold, a pnr or a user.")
        return attrs


class StatisticsQuery(serializers.Serializer[Any]):
    since = MomentOrDate(
        default=days_ago, help_text="Booked from this moment or date on; else 30 days ago."
    )
    until = MomentOrDate(default=clock.now, help_text="Booked before; else now.")

    def validate(self, attrs: dict[str, datetime]) -> dict[str, datetime]:
        if attrs["until"] < attrs["since"]:
            raise serializers.ValidationError({"until": ["Must not be before since."]})
        return attrs


class ReleaseBody(serializers.Serializer[Any]):
    reason = Text(max_length=200, help_text="Why; it is kept with your name in the trail.")


class MoneyOut(serializers.Serializer[Any]):
    amount = serializers.DecimalField(max_digits=14, decimal_places=2)
    currency = serializers.CharField()


class FarePartOut(serializers.Serializer[Any]):
    part = serializers.CharField()
    amount = serializers.DecimalField(max_digits=14, decimal_places=2)


class FareOut(MoneyOut):
    parts = FarePartOut(many=True)


class BookedTrainOut(serializers.Serializer[Any]):
    number = serializers.CharField()
    name = serializers.CharField()


class BoardingOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    departs_at = Moment()


class AlightingOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    arrives_at = Moment()


class RefundOut(MoneyOut):
    status = serializers.CharField(help_text="none, by-hand, due, pending, done or failed.")
    reference = serializers.CharField(help_text="The gateway's.")


class CancellationOut(serializers.Serializer[Any]):
    at = Moment()
    by = serializers.CharField(help_text="owner, agent or staff")
    rule = serializers.CharField()
    seats = serializers.ListField(child=serializers.CharField())
    refund = serializers.SerializerMethodField()

    def get_refund(self, row: Any) -> RefundOut:
        stand = row["refund"]
        refund = {
            "amount": stand.amount,
            "currency": row["currency"],
            "status": stand.status,
            "reference": stand.reference,
        }
        return RefundOut(refund).data  # type: ignore[return-value]  # annotated for the description


class StaffBookingOut(serializers.Serializer[Any]):
    pnr = serializers.CharField(source="booking.pnr")
    status = serializers.CharField(source="booking.status")
    user = serializers.IntegerField()
    hold = serializers.CharField(source="booking.hold")
    departure = serializers.IntegerField(source="booking.departure")
    train = BookedTrainOut(source="booking.train")
    service_date = serializers.DateField(source="booking.service_date")
    source = BoardingOut(source="booking.source")  # type: ignore[assignment]  # a field
    destination = AlightingOut(source="booking.destination")
    seats = serializers.ListField(source="booking.seats", child=serializers.CharField())
    passengers = serializers.ListField(
        source="booking.passengers", child=serializers.JSONField(allow_null=True)
    )
    fare = serializers.SerializerMethodField()
    created_at = Moment(source="booking.created_at")
    cancelled_at = Moment(source="booking.cancelled_at", allow_null=True)
    cancellation = serializers.SerializerMethodField()
    cancellations = serializers.SerializerMethodField()

    @extend_schema_field(CancellationOut(allow_null=True))
    def get_cancellation(self, row: Any) -> Any:
        return next(reversed(self.get_cancellations(row)), None)

    @extend_schema_field(CancellationOut(many=True))
    def get_cancellations(self, row: Any) -> Any:
        shown = [{**vars(each), "currency": row.booking.currency}
                 for each in row.booking.cancellations]  # fmt: skip
        return CancellationOut(shown, many=True).data

    def get_fare(self, row: Any) -> FareOut:
        parts = row.booking.fare_parts.items()
        fare = {
            "amount": row.booking.fare,
            "currency": row.booking.currency,
            "parts": [{"part": part, "amount": amount} for part, amount in parts],
        }
        return FareOut(fare).data  # type: ignore[return-value]  # annotated for the description


class LiveHoldOut(serializers.Serializer[Any]):
    hold = serializers.CharField()
    status = serializers.ChoiceField(choices=["held", "confirming"])
    user = serializers.IntegerField()
    departure = serializers.IntegerField()
    train = serializers.CharField()
    service_date = serializers.DateField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field
    destination = serializers.CharField()
    seats = serializers.ListField(child=serializers.CharField())
    fare = serializers.DecimalField(max_digits=14, decimal_places=2)
    currency = serializers.CharField()
    taken_at = Moment()
    expires_at = Moment()


class ReleasedOut(serializers.Serializer[Any]):
    hold = serializers.CharField()
    status = serializers.CharField()
    reason = serializers.CharField()


class FactOut(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="Names the fact for ever.")
    kind = serializers.CharField()
    subject = serializers.CharField()
    stage = serializers.IntegerField()
    number = serializers.IntegerField()
    at = Moment()
    hold = serializers.CharField(allow_null=True)
    pnr = serializers.CharField(allow_null=True)
    user = serializers.IntegerField(allow_null=True, help_text="Whose it is.")
    actor = serializers.IntegerField(allow_null=True, help_text="Who did it, if another.")
    departure = serializers.IntegerField(allow_null=True)
    train = serializers.CharField(allow_null=True)
    service_date = serializers.CharField(allow_null=True)
    source = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # a field
    destination = serializers.CharField(allow_null=True)
    body = serializers.DictField()


class HoldCountOut(serializers.Serializer[Any]):
    live = serializers.IntegerField()
    confirming = serializers.IntegerField()


class BookingCountOut(serializers.Serializer[Any]):
    today = serializers.IntegerField()
    cancelled_today = serializers.IntegerField()
    revenue_today = MoneyOut(many=True)


class StreamsOut(serializers.Serializer[Any]):
    hold_facts = serializers.IntegerField(help_text="Facts of holds not yet in MongoDB.")
    requests = serializers.IntegerField(help_text="Request log entries not yet in MongoDB.")
    requests_dropped = serializers.IntegerField(help_text="Entries there was no room for.")
    odd_members = serializers.IntegerField(help_text="Holds no script could read.")


class SinkOut(serializers.Serializer[Any]):
    dead_letters = serializers.IntegerField()
    gaps = serializers.IntegerField(help_text="Times Redis lost memory before all was shipped.")
    shipper_seen_at = Moment(allow_null=True)


class StoreOut(serializers.Serializer[Any]):
    store = serializers.CharField()
    is_up = serializers.BooleanField()
    latency_ms = serializers.FloatField(allow_null=True)


class DashboardOut(serializers.Serializer[Any]):
    as_of = Moment()
    time_zone = serializers.CharField(help_text="Whose today it is.")
    holds = HoldCountOut(allow_null=True)
    bookings = BookingCountOut(allow_null=True)
    outbox_pending = serializers.IntegerField(allow_null=True)
    streams = StreamsOut(allow_null=True)
    sink = SinkOut(allow_null=True)
    stores = StoreOut(many=True)


class TotalsOut(serializers.Serializer[Any]):
    bookings = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    seats = serializers.IntegerField()
    revenue = serializers.DecimalField(max_digits=14, decimal_places=2)
    currency = serializers.CharField()


class DayTotalsOut(TotalsOut):
    day = serializers.DateField()


class TrainTotalsOut(TotalsOut):
    train = serializers.CharField()


class StatusTotalsOut(TotalsOut):
    status = serializers.CharField()


class ClassTotalsOut(serializers.Serializer[Any]):
    travel_class = serializers.CharField()
    bookings = serializers.IntegerField()
    seats = serializers.IntegerField()
    cancelled_seats = serializers.IntegerField()


class StatisticsOut(serializers.Serializer[Any]):
    since = Moment()
    until = Moment()
    time_zone = serializers.CharField()
    totals = TotalsOut(many=True, help_text="One row for each currency.")
    by_day = DayTotalsOut(many=True)
    by_train = TrainTotalsOut(many=True)
    by_class = ClassTotalsOut(many=True)
    by_status = StatusTotalsOut(many=True)
