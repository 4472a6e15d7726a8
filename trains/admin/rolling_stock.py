"""Admin pages of coaches and vehicle templates."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from config.errors import Invalid
from trains.admin.bases import ModelAdmin, ModelForm, NothingDeleted
from trains.models import Coach, VehicleTemplate
from trains.proposals import ProposedCoach, check_coaches
from trains.services.change_train import TrainChanges, change_train
from trains.services.save_vehicle import (
    VehicleChanges,
    VehicleProposal,
    change_vehicle,
    create_vehicle,
)


class CoachForm(ModelForm[Coach]):
    """Judges what the service would refuse, while the page can still say it."""

    class Meta:
        model = Coach
        fields = ("train", "label", "travel_class", "template", "capacity")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "template" in self.fields:
            self.fields["template"].required = False  # none: the usual one of the class

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
class CoachAdmin(NothingDeleted, ModelAdmin[Coach]):
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


@admin.register(VehicleTemplate)
class VehicleTemplateAdmin(NothingDeleted, ModelAdmin[VehicleTemplate]):
    list_display = ("code", "name", "mode", "travel_class", "coaches", "revision")
    list_filter = ("mode", "travel_class")
    search_fields = ("code", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[VehicleTemplate]:
        return super().get_queryset(request).annotate(coach_count=Count("coaches"))

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
