"""Shapes of vehicle templates."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.http.fields import Text, TextLike
from trains import layouts, names
from trains.models import VehicleTemplate
from trains.services.save_vehicle import VehicleChanges, VehicleProposal


@extend_schema_field(layouts.schema())
class LayoutField(serializers.JSONField):
    """The layout as JSON values; `layouts.parse` judges it."""


class VehicleOut(serializers.ModelSerializer[VehicleTemplate]):
    layout = LayoutField()

    class Meta:
        model = VehicleTemplate
        fields = ("code", "name", "mode", "travel_class", "layout", "revision")


class VehicleIn(serializers.Serializer[Any]):
    code = TextLike(names.VEHICLE_CODE)
    name = Text(max_length=100, required=False, allow_blank=True, default="")
    mode = serializers.ChoiceField(VehicleTemplate.Mode.choices)
    travel_class = TextLike(names.TRAVEL_CLASS)
    layout = LayoutField()

    def proposal(self) -> VehicleProposal:
        return VehicleProposal(**self.validated_data)


class VehiclePatch(serializers.Serializer[Any]):
    """What is to change of the template; its code stays."""

    name = Text(max_length=100, required=False, allow_blank=True)
    mode = serializers.ChoiceField(VehicleTemplate.Mode.choices, required=False)
    travel_class = TextLike(names.TRAVEL_CLASS, required=False)
    layout = LayoutField(required=False)

    def changes(self) -> VehicleChanges:
        data = dict(self.validated_data)
        data.pop("code", None)
        return VehicleChanges(**data)


class NamedVehiclePatch(VehiclePatch):
    """The same, with the code in the body."""

    code = TextLike(names.VEHICLE_CODE)
