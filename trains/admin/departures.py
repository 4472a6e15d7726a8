"""Admin pages of departures."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from trains.admin.bases import ModelAdmin, NothingDeleted
from trains.models import Departure
from trains.services.change_departure import DepartureChanges, change_departure
from trains.services.set_status import set_status


@admin.register(Departure)
class DepartureAdmin(NothingDeleted, ModelAdmin[Departure]):
    list_display = (
        "train",
        "service_date",
        "status",
        "sale_opens_at",
        "fare_factor",
        "ends_at",
        "revision",
    )
    list_select_related = ("train",)
    list_filter = ("status", "train__mode", "service_date")
    search_fields = ("=train__number", "train__name")
    ordering = ("service_date", "train_id")
    fields = (
        "train",
        "service_date",
        "status",
        "fare_factor",
        "sale_opens_at",
        "starts_at",
        "ends_at",
        "revision",
    )
    readonly_fields = ("train", "service_date", "starts_at", "ends_at", "revision")
    actions = ("close", "reopen")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        del request
        return False

    def save_model(self, request: HttpRequest, obj: Departure, form: Any, change: bool) -> None:
        del form, change
        changes = DepartureChanges(
            status=Departure.Status(obj.status),
            fare_factor=obj.fare_factor,
            sale_opens_at=obj.sale_opens_at,
        )
        change_departure(departure_id=obj.pk, changes=changes, actor_id=request.user.pk)

    @admin.action(description="Take off sale", permissions=["change"])
    def close(self, request: HttpRequest, departures: QuerySet[Departure]) -> None:
        self._set(request, departures, Departure.Status.CLOSED)

    @admin.action(description="Put back on sale", permissions=["change"])
    def reopen(self, request: HttpRequest, departures: QuerySet[Departure]) -> None:
        self._set(request, departures, Departure.Status.OPEN)

    def _set(
        self, request: HttpRequest, departures: QuerySet[Departure], status: Departure.Status
    ) -> None:
        changed = set_status(
            departure_ids=list(departures.values_list("pk", flat=True)),
            status=status,
            actor_id=request.user.pk,
        )
        self.message_user(request, f"{changed} departures are now {status.label.lower()}.")
