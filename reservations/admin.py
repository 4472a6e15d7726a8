"""What was sold, and what is kept out of sale, to look at: the engine owns and changes it. What
cancelling costs staff write here themselves.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from reservations.models import (
    BookedSeat,
    Booking,
    Cancellation,
    CancellationRule,
    CancellationTable,
    SeatBlock,
)
from reservations.services.change_cancellation_rules import note_changed_rules
from trains.admin.bases import ModelAdmin, ReadOnly, TabularInline


class BookedSeatInline(ReadOnly, TabularInline[BookedSeat, Booking]):
    """No names: who travels is shown on the staff's board, where each look leaves a trace."""

    model = BookedSeat
    fields = ("seat", "legs", "live", "fare", "cancellation")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[BookedSeat]:
        return super().get_queryset(request).select_related("seat__coach").order_by("seat_id")


class CancellationInline(ReadOnly, TabularInline[Cancellation, Booking]):
    model = Cancellation
    fields = ("at", "by", "actor", "rule", "fare", "refund", "reason")
    readonly_fields = fields


@admin.register(Booking)
class BookingAdmin(ReadOnly, ModelAdmin[Booking]):
    """Without tombstones, which are no bookings."""

    list_display = (
        "pnr",
        "status",
        "train",
        "service_date",
        "account",
        "seats",
        "fare",
        "currency",
        "created_at",
    )
    list_filter = ("status", "created_at")
    list_select_related = ("departure__train", "owner")
    search_fields = ("=pnr", "=owner__username", "=departure__train__number")
    ordering = ("-id",)
    inlines = (BookedSeatInline, CancellationInline)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Booking]:
        bookings = super().get_queryset(request).exclude(status=Booking.Status.VOID)
        return bookings.annotate(seat_count=Count("booked_seats"))

    @admin.display(ordering="seat_count")
    def seats(self, booking: Any) -> int:
        return int(booking.seat_count)

    @admin.display(description="train")
    def train(self, booking: Booking) -> str:
        train = booking.departure.train
        return _link("trains_train", train.pk, f"{train.number} {train.name}")

    @admin.display(description="date", ordering="departure__service_date")
    def service_date(self, booking: Booking) -> str:
        departure = booking.departure
        return _link("trains_departure", departure.pk, departure.service_date.isoformat())

    @admin.display(description="account")
    def account(self, booking: Booking) -> str:
        owner = booking.owner
        return _link("users_user", owner.pk, owner.username) if owner else ""


@admin.register(SeatBlock)
class SeatBlockAdmin(ReadOnly, ModelAdmin[SeatBlock]):
    """Staff block seats by `operations/departures/<id>/blocks/`."""

    list_display = ("departure", "seat", "reason", "created_by", "created_at")
    list_select_related = ("departure__train", "seat__coach", "created_by")
    search_fields = ("reason", "=departure__train__number")
    show_full_result_count = False


class CancellationRuleInline(TabularInline[CancellationRule, CancellationTable]):
    model = CancellationRule
    extra = 0


@admin.register(CancellationTable)
class CancellationTableAdmin(ModelAdmin[CancellationTable]):
    """Tables are ended (`valid_to`) and followed by others, not deleted."""

    list_display = ("name", "valid_from", "valid_to", "revision")
    inlines = (CancellationRuleInline,)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        note_changed_rules(table_id=form.instance.pk, actor_id=request.user.pk)


def _link(page: str, pk: int, text: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{page}_change", args=[pk]), text)
