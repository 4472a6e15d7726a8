"""Django's admin for the timetable: lists to look at, and changes that go through the services.

What the engine relies on (stops, seats, ordinals) is shown and not edited; what may be changed is
handed to the same services as the API's calls, so that facts are written and seat images follow.
"""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, F, IntegerField, Model, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from config.errors import Invalid
from trains.models import (
    Coach,
    Departure,
    Feed,
    ServiceCalendar,
    Station,
    Stop,
    Train,
    VehicleTemplate,
)
from trains.proposals import ProposedCoach, check_coaches, weekday_names
from trains.serializers.fields import clock_text
from trains.services.change_departure import DepartureChanges, change_departure
from trains.services.change_train import TrainChanges, change_train
from trains.services.save_vehicle import (
    VehicleChanges,
    VehicleProposal,
    change_vehicle,
    create_vehicle,
)
from trains.services.set_status import set_status


class _NothingDeleted:
    """The timetable's rows are referred to for good; they are closed or outgrown, not deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        del request, obj
        return False


class _ReadOnly(_NothingDeleted):
    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        del request, obj
        return False


def _count_of(rows: QuerySet[Any], what: Any) -> Coalesce:
    """A subquery over a train's rows; joins would multiply stops by coaches."""
    per_train = rows.filter(train=OuterRef("pk")).order_by().values("train")
    return Coalesce(
        Subquery(per_train.annotate(it=what).values("it")), 0, output_field=IntegerField()
    )


@admin.register(Feed)
class FeedAdmin(_ReadOnly, admin.ModelAdmin[Feed]):
    list_display = ("code", "name", "timezone", "imported_at")


@admin.register(ServiceCalendar)
class ServiceCalendarAdmin(_ReadOnly, admin.ModelAdmin[ServiceCalendar]):
    list_display = ("service_id", "feed", "days", "start_date", "end_date")
    list_select_related = ("feed",)
    list_filter = ("feed",)
    search_fields = ("service_id",)

    @admin.display(description="days")
    def days(self, calendar: ServiceCalendar) -> str:
        return " ".join(weekday_names(calendar.weekdays))


@admin.register(Station)
class StationAdmin(_NothingDeleted, admin.ModelAdmin[Station]):
    list_display = ("code", "name", "latitude", "longitude", "timezone", "feed")
    list_select_related = ("feed",)
    list_filter = ("feed",)
    search_fields = ("code", "name")
    readonly_fields = ("feed",)


class StopInline(_ReadOnly, admin.TabularInline[Stop, Train]):
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


class CoachInline(_ReadOnly, admin.TabularInline[Coach, Train]):
    model = Coach
    fields = ("order", "label", "travel_class", "template", "capacity")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Coach]:
        return super().get_queryset(request).select_related("template").order_by("order")


@admin.register(Train)
class TrainAdmin(_NothingDeleted, admin.ModelAdmin[Train]):
    list_display = ("number", "name", "mode", "feed", "stops", "coaches", "seats", "revision")
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

    def save_model(self, request: HttpRequest, obj: Train, form: Any, change: bool) -> None:
        del form, change
        change_train(
            number=obj.number, changes=TrainChanges(name=obj.name), actor_id=request.user.pk
        )


class CoachForm(forms.ModelForm[Coach]):
    """Judges what the service would refuse, while the page can still say it."""

    class Meta:
        model = Coach
        fields = ("train", "label", "travel_class", "template", "capacity")

    def clean(self) -> dict[str, Any]:
        data = {**(super().clean() or {})}
        train = data.get("train") or (self.instance.train if self.instance.pk else None)
        capacity = data.get("capacity")
        if train is None or capacity is None:
            return data
        if self.instance.pk and capacity < Coach.objects.get(pk=self.instance.pk).capacity:
            raise ValidationError({"capacity": "A coach never shrinks."})
        others = Coach.objects.filter(train=train).exclude(pk=self.instance.pk)
        label = data.get("label") or self.instance.label
        try:
            check_coaches([*others.values_list("label", "capacity"), (label, capacity)])
        except Invalid as wrong:
            raise ValidationError(str(wrong)) from None
        return data


@admin.register(Coach)
class CoachAdmin(_NothingDeleted, admin.ModelAdmin[Coach]):
    """Coaches are added and grow; everything else about them stays."""

    form = CoachForm
    list_display = ("train", "label", "travel_class", "template", "capacity")
    list_select_related = ("train", "template")
    list_filter = ("travel_class",)
    search_fields = ("train__number", "label")
    raw_id_fields = ("train",)
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Coach | None = None) -> Any:
        del request
        return ("train", "label", "travel_class", "template") if obj else ()

    def save_model(self, request: HttpRequest, obj: Coach, form: Any, change: bool) -> None:
        del form, change
        proposed = ProposedCoach(
            label=obj.label,
            travel_class=obj.travel_class,
            seats=obj.capacity,
            template=obj.template.code if obj.template else None,
        )
        change_train(
            number=obj.train.number,
            changes=TrainChanges(coaches=[proposed]),
            actor_id=request.user.pk,
        )
        obj.pk = Coach.objects.only("pk").get(train=obj.train, label=obj.label).pk


@admin.register(Departure)
class DepartureAdmin(_NothingDeleted, admin.ModelAdmin[Departure]):
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


@admin.register(VehicleTemplate)
class VehicleTemplateAdmin(_NothingDeleted, admin.ModelAdmin[VehicleTemplate]):
    list_display = ("code", "name", "mode", "travel_class", "coaches", "revision")
    list_filter = ("mode", "travel_class")
    search_fields = ("code", "name")
    readonly_fields: ClassVar[Any] = ("revision",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[VehicleTemplate]:
        return super().get_queryset(request).annotate(coach_count=Count(F("coaches")))

    @admin.display(ordering="coach_count")
    def coaches(self, template: Any) -> int:
        return int(template.coach_count)

    def get_readonly_fields(self, request: HttpRequest, obj: VehicleTemplate | None = None) -> Any:
        del request
        return ("code", "revision") if obj else ("revision",)

    def save_model(
        self, request: HttpRequest, obj: VehicleTemplate, form: Any, change: bool
    ) -> None:
        del form
        said = {
            "name": obj.name,
            "mode": obj.mode,
            "travel_class": obj.travel_class,
            "layout": obj.layout,
        }
        if change:
            change_vehicle(code=obj.code, changes=VehicleChanges(**said), actor_id=request.user.pk)
        else:
            proposal = VehicleProposal(code=obj.code, **said)
            obj.pk = create_vehicle(proposal=proposal, actor_id=request.user.pk).pk
