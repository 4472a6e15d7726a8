"""`auth/travellers/`: parse, call one service, render."""

from datetime import date
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config import clock
from config.http.fields import Text
from config.http.schema import IDEMPOTENCY_KEY, problem_responses
from config.idempotency.views import idempotent
from users.models import SavedTraveller
from users.services.travellers import (
    change_traveller,
    delete_travellers,
    find_traveller,
    save_traveller,
)

_SIGNED_IN = ("not-authenticated", "token-expired", "throttled", "unavailable")
_ASHA = OpenApiExample(
    "A traveller",
    {"name": "Asha Rao", "birth_date": "1994-05-17", "berth_preference": "lower"},
    request_only=True,
)


class Traveller(serializers.ModelSerializer[SavedTraveller]):
    """`age` is what it is today, null without a birth date."""

    name = Text(max_length=100)
    gender = Text(max_length=20, required=False, allow_blank=True)
    berth_preference = serializers.ChoiceField(
        choices=SavedTraveller.Berth.choices, required=False, allow_blank=True
    )
    age = serializers.SerializerMethodField()

    class Meta:
        model = SavedTraveller
        fields = ("id", "name", "birth_date", "age", "gender", "berth_preference")
        read_only_fields = ("id",)
        extra_kwargs = {"birth_date": {"required": False}}

    def validate_birth_date(self, born: date | None) -> date | None:
        today = clock.now().date()
        if born is not None and not today.year - 130 <= born.year <= today.year:
            raise serializers.ValidationError("Nobody alive was born then.")
        if born is not None and born > today:
            raise serializers.ValidationError("Nobody alive was born then.")
        return born

    def get_age(self, traveller: SavedTraveller) -> int | None:
        born = traveller.birth_date
        if born is None:
            return None
        today = clock.now().date()
        return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _read(request: Request, *, partial: bool = False) -> dict[str, Any]:
    asked = Traveller(data=request.data, partial=partial)
    asked.is_valid(raise_exception=True)
    values: dict[str, Any] = asked.validated_data
    return values


class TravellersView(ListAPIView[SavedTraveller]):
    throttle_scope = "account"
    serializer_class = Traveller

    def get_queryset(self) -> QuerySet[SavedTraveller]:
        return SavedTraveller.objects.filter(owner=self.request.user.pk).order_by("name", "pk")

    @extend_schema(
        operation_id="list_travellers",
        tags=["accounts"],
        summary="My saved travellers",
        responses={200: Traveller(many=True), **problem_responses("invalid", *_SIGNED_IN)},
    )
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        return self.list(request, *args, **kwargs)

    @extend_schema(
        operation_id="save_traveller",
        tags=["accounts"],
        summary="Save a traveller I book for",
        parameters=[IDEMPOTENCY_KEY],
        request=Traveller,
        responses={201: Traveller, **problem_responses("invalid", "limit-reached", *_SIGNED_IN)},
        examples=[_ASHA],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """At most thirty an account."""
        traveller = save_traveller(owner=request.user.pk or 0, said=_read(request))
        return Response(Traveller(traveller).data, status=201)

    @extend_schema(
        operation_id="delete_travellers",
        tags=["accounts"],
        summary="Delete all my saved travellers",
        responses={
            204: OpenApiResponse(description="Deleted, for good."),
            **problem_responses(*_SIGNED_IN),
        },
    )
    def delete(self, request: Request) -> Response:
        delete_travellers(owner=request.user.pk or 0)
        return Response(status=204)


class TravellerView(APIView):
    throttle_scope = "account"

    @extend_schema(
        operation_id="show_traveller",
        tags=["accounts"],
        summary="One of my saved travellers",
        responses={200: Traveller, **problem_responses("not-found", *_SIGNED_IN)},
    )
    def get(self, request: Request, traveller: int) -> Response:
        return Response(
            Traveller(find_traveller(owner=request.user.pk or 0, number=traveller)).data
        )

    @extend_schema(
        operation_id="change_traveller",
        tags=["accounts"],
        summary="Change one of my saved travellers",
        request=Traveller,
        responses={200: Traveller, **problem_responses("invalid", "not-found", *_SIGNED_IN)},
        examples=[_ASHA],
    )
    def patch(self, request: Request, traveller: int) -> Response:
        said = _read(request, partial=True)
        changed = change_traveller(owner=request.user.pk or 0, number=traveller, said=said)
        return Response(Traveller(changed).data)

    @extend_schema(
        operation_id="delete_traveller",
        tags=["accounts"],
        summary="Delete one of my saved travellers; again is harmless",
        responses={
            204: OpenApiResponse(description="Deleted, for good."),
            **problem_responses(*_SIGNED_IN),
        },
    )
    def delete(self, request: Request, traveller: int) -> Response:
        delete_travellers(owner=request.user.pk or 0, number=traveller)
        return Response(status=204)
