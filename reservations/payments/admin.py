"""Money to look at: the engine and the gateways move it, staff act on the board and by the API."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from reservations.payments.models import Difference, GatewayMessage, Payment, Refund
from trains.admin.bases import ModelAdmin, ReadOnly, TabularInline


class RefundInline(ReadOnly, TabularInline[Refund, Payment]):
    model = Refund
    fields = ("amount", "state", "reason", "reference", "attempts", "trouble", "created_at")
    readonly_fields = fields


@admin.register(Payment)
class PaymentAdmin(ReadOnly, ModelAdmin[Payment]):
    """Without what only its payer may use (`next_step`, `capability`), and without names."""

    list_display = (
        "id",
        "purpose",
        "state",
        "outcome",
        "amount",
        "currency",
        "provider",
        "account",
        "booked",
        "created_at",
    )
    list_filter = ("state", "outcome", "purpose", "provider", "created_at")
    list_select_related = ("owner", "booking")
    search_fields = ("=id", "=hold", "=reference", "=booking__pnr", "=owner__username")
    ordering = ("-created_at", "-id")
    exclude = ("next_step", "capability", "passengers", "acting", "gives_up")
    inlines = (RefundInline,)
    show_full_result_count = False

    @admin.display(description="account")
    def account(self, payment: Payment) -> str:
        return _link("users_user", payment.owner_id, payment.owner.username)

    @admin.display(description="booking")
    def booked(self, payment: Payment) -> str:
        booking = payment.booking
        return _link("reservations_booking", booking.pk, booking.pnr or "") if booking else ""


@admin.register(Refund)
class RefundAdmin(ReadOnly, ModelAdmin[Refund]):
    """One that failed is tried again on the staff board, with a reason."""

    list_display = ("id", "of", "amount", "state", "reason", "attempts", "created_at", "ended_at")
    list_filter = ("state", "created_at")
    list_select_related = ("payment",)
    search_fields = ("=id", "=reference", "=payment__id", "=payment__booking__pnr")
    ordering = ("-created_at", "-id")
    show_full_result_count = False

    @admin.display(description="payment")
    def of(self, refund: Refund) -> str:
        return _link("payments_payment", refund.payment_id, str(refund.payment_id))


@admin.register(Difference)
class DifferenceAdmin(ReadOnly, ModelAdmin[Difference]):
    """Settled on the staff board, with a note."""

    list_display = ("key", "provider", "kind", "found_at", "settled_at", "settled_by")
    list_filter = ("provider", "kind", "found_at")
    list_select_related = ("settled_by",)
    search_fields = ("=key", "=payment__id")
    ordering = ("-found_at", "-id")
    show_full_result_count = False


@admin.register(GatewayMessage)
class GatewayMessageAdmin(ReadOnly, ModelAdmin[GatewayMessage]):
    """What gateways said, each event once."""

    list_display = ("event_id", "provider", "kind", "amount", "currency", "received_at")
    list_filter = ("provider", "kind", "received_at")
    search_fields = ("=event_id", "=reference", "=payment__id")
    ordering = ("-id",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[GatewayMessage]:
        return super().get_queryset(request).select_related("payment")


def _link(page: str, pk: Any, text: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{page}_change", args=[pk]), text)
