"""Admin pages of trains with their stops and coaches."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from trains.admin.bases import ModelAdmin, NothingDeleted, ReadOnly, TabularInline
from trains.models import Coach, Stop, Train
from trains.serializers.fields import clock_text
from trains.services.change_train import TrainChanges, change_train


def _count_of(rows: QuerySet[Any], what: Any) -> Coalesce:
    """A subquery over a train's rows; joins would multiply stops by coaches."""
    per_train = rows.filter(train=OuterRef("pk")).order_by().values("train")
    return Coalesce(
        Subquery(per_train.annotate(it=what).values("it")), 0, output_field=IntegerField()
    )


class StopInline(ReadOnly, TabularInline[Stop, Train]):
    model = Stop
    fields = ("sequence", "station", "arrives", "leaves", "distance_km", "pickup", "drop_off")
    readonly_fields = ("arrives", "leaves")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stop]:
        return super().get_queryset(request).select_related("station").order_by("sequence")

    @admin.display(description="arrives")
    def arrives(self, stop: Stop) -> str:
        return _with_day(stop.arrival_seconds)

    @admin.display(description="leaves")
    def leaves(self, stop: Stop) -> str:
        return _with_day(stop.departure_seconds)


def _with_day(seconds: int) -> str:
    return f"{clock_text(seconds)}, day {seconds // 86_400 + 1}"


class CoachInline(ReadOnly, TabularInline[Coach, Train]):
    model = Coach
    fields = ("order", "label", "travel_class", "template", "capacity")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Coach]:
        return super().get_queryset(request).select_related("template").order_by("order")


@admin.register(Train)
class TrainAdmin(NothingDeleted, ModelAdmin[Train]):
    list_display = (
        "number",
        "name",
        "mode",
        "feed",
        "stops",
        "coaches",
        "seats",
        "departures",
        "revision",
    )
    list_select_related = ("feed",)
    list_filter = ("mode", "feed")
    search_fields = ("number", "name")
    fields = ("number", "name", "mode", "timezone", "feed", "feed_number", "revision")
    readonly_fields = ("number", "mode", "timezone", "feed", "feed_number", "revision")
    inlines = (CoachInline, StopInline)

    def has_add_permission(self, request: HttpRequest) -> bool:
        del request
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Train]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                stop_count=_count_of(Stop.objects.all(), Count("pk")),
                coach_count=_count_of(Coach.objects.all(), Count("pk")),
                seat_count=_count_of(Coach.objects.all(), Sum("capacity")),
            )
        )

    @admin.display(ordering="stop_count")
    def stops(self, train: Any) -> int:
        return int(train.stop_count)

    @admin.display(ordering="coach_count")
    def coaches(self, train: Any) -> int:
        return int(train.coach_count)

    @admin.display(ordering="seat_count")
    def seats(self, train: Any) -> int:
        return int(train.seat_count)

    @admin.display(description="departures")
    def departures(self, train: Train) -> str:
        address = reverse("admin:trains_departure_changelist")
        return format_html('<a href="{}?train__id__exact={}">departures</a>', address, train.pk)

    def save_model(self, request: HttpRequest, obj: Train, form: Any, change: bool) -> None:
        del form, change
        change_train(
            number=obj.number, changes=TrainChanges(name=obj.name), actor_id=request.user.pk
        )
