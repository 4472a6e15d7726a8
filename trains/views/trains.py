"""`trains/` and `trains/<number>/`."""

from django.db.models import Q, QuerySet
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import NotFound
from config.http.schema import IDEMPOTENCY_KEY, problem_responses
from config.idempotency.views import idempotent
from trains.models import Train
from trains.serializers.trains_in import FullTrainIn, ShortTrainIn, TrainPatch, TrainQuery
from trains.serializers.trains_out import TrainOut, TrainRow, trains_in_full, trains_in_short
from trains.services.change_train import change_train
from trains.services.create_short_train import create_short_train
from trains.services.create_train import create_train
from trains.views import examples
from trains.views.permissions import StaffWrite


class TrainsView(StaffWrite, ListAPIView[Train]):
    serializer_class = TrainRow

    def get_queryset(self) -> QuerySet[Train]:
        query = TrainQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        trains = trains_in_short().order_by("number")
        if mode := query.validated_data.get("mode"):
            trains = trains.filter(mode=mode)
        if text := query.validated_data["q"].strip():
            trains = trains.filter(Q(number__istartswith=text) | Q(name__icontains=text))
        return trains

    @extend_schema(
        summary="List trains",
        parameters=[TrainQuery],
        responses={200: TrainRow(many=True), **problem_responses("invalid", "not-authenticated")},
    )
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        return self.list(request, *args, **kwargs)

    @extend_schema(
        summary="Create a train (staff)",
        description=(
            "In the full form, or in the short form: two stations by code or by a new name, one "
            "coach, every day. Seats and departures are there and on sale at once."
        ),
        parameters=[IDEMPOTENCY_KEY],
        request=PolymorphicProxySerializer(
            component_name="TrainIn",
            serializers=[FullTrainIn, ShortTrainIn],
            resource_type_field_name=None,
        ),
        responses={
            201: TrainOut,
            **problem_responses(*examples.CREATING),
        },
        examples=[examples.FULL_TRAIN, examples.SHORT_TRAIN],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        if "stops" in request.data or "coaches" in request.data:
            full = FullTrainIn(data=request.data)
            full.is_valid(raise_exception=True)
            train = create_train(proposal=full.proposal(), actor_id=request.user.pk)
        else:
            short = ShortTrainIn(data=request.data)
            short.is_valid(raise_exception=True)
            train = create_short_train(proposal=short.proposal(), actor_id=request.user.pk)
        return Response(TrainOut(trains_in_full().get(pk=train.pk)).data, status=201)


class TrainView(StaffWrite):
    @extend_schema(
        summary="Show a train",
        responses={200: TrainOut, **problem_responses("not-found", "not-authenticated")},
    )
    def get(self, request: Request, number: str) -> Response:
        del request
        train = trains_in_full().filter(number=number).first()
        if train is None:
            raise NotFound(f"There is no train {number}.")
        return Response(TrainOut(train).data)

    @extend_schema(
        summary="Change a train (staff)",
        description=(
            "Listed coaches are added or grow, others stay. Stops are fixed once seats are held "
            "or sold (`illegal-state`). Days taken away close their departures."
        ),
        request=TrainPatch,
        responses={
            200: TrainOut,
            **problem_responses(
                "invalid", "not-authenticated", "forbidden", "not-found", "illegal-state"
            ),
        },
        examples=[examples.TRAIN_CHANGE],
    )
    def patch(self, request: Request, number: str) -> Response:
        asked = TrainPatch(data=request.data)
        asked.is_valid(raise_exception=True)
        train = change_train(number=number, changes=asked.changes(), actor_id=request.user.pk)
        return Response(TrainOut(trains_in_full().get(pk=train.pk)).data)
