"""`operations/departures/<id>/reseatings/`, `operations/reseatings/<id>/`: another vehicle runs."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.http import HttpRequest, HttpResponse

from config.http.body import read_json
from config.idempotency.services import Answer, find, keep
from config.idempotency.views import response_of
from reservations.api.bodies import Label
from reservations.api.door import answer, door, to_json, view
from reservations.api.holds import request_key
from reservations.availability.plans import plan_of
from reservations.models import Reseating
from reservations.services.plan_reseating import Swap, plan_reseating
from reservations.services.reseat_departure import (
    confirm_reseating,
    drop_reseating,
    find_reseating,
)
from users.tokens import Caller


class SwapBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A coach that runs as another vehicle (the code of a template), with `seats` of its seats
    (null: as many as the template has); without a vehicle it does not run.
    """

    coach: Label
    vehicle: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] | None = None
    seats: Annotated[int, msgspec.Meta(ge=0, le=2000)] | None = None


class ReseatBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    coaches: Annotated[tuple[SwapBody, ...], msgspec.Meta(min_length=1, max_length=100)]
    reason: Annotated[str, msgspec.Meta(min_length=3, max_length=200)]


class MoveBody(msgspec.Struct, frozen=True):
    """Where a passenger goes; `new` null: there is no seat, its whole fare goes back."""

    pnr: str
    old: str
    new: str | None


class ReseatingBody(msgspec.Struct, frozen=True):
    """A plan. `status`: proposed, done or dropped. `lost`: the seats the other vehicle lacks."""

    reseating: int
    departure: int
    status: str
    reason: str
    lost: tuple[str, ...]
    moves: tuple[MoveBody, ...]
    made_at: datetime
    ended_at: datetime | None


_decode = msgspec.json.Decoder(ReseatBody)


@door("staff", "staff")
def _plan(request: HttpRequest, caller: Caller, departure: int) -> HttpResponse:
    """What is planned must have committed before Redis is asked again, so the key is kept after the
    effect: what makes one effect of two requests is that a departure has one open plan.
    """
    body = read_json(request, _decode)
    key = request_key(request)
    if key and (kept := find(user_id=caller.user_id, **asdict(key))):
        return response_of(kept)
    made = plan_reseating(
        departure=departure,
        actor=caller.user_id,
        swaps=[Swap(coach=each.coach, vehicle=each.vehicle, seats=each.seats)
               for each in body.coaches],
        reason=body.reason,
    )  # fmt: skip
    told = Answer(201, to_json(_body(made)))
    if key:
        keep(told, user_id=caller.user_id, **asdict(key))
    return answer(told.body, told.status)


@door("staff", "staff")
def _show(request: HttpRequest, caller: Caller, reseating: int) -> HttpResponse:
    del request, caller
    return answer(_body(find_reseating(reseating)))


@door("staff", "staff")
def _drop(request: HttpRequest, caller: Caller, reseating: int) -> HttpResponse:
    del request
    return answer(_body(drop_reseating(reseating=reseating, actor=caller.user_id)))


@door("staff", "staff")
def _confirm(request: HttpRequest, caller: Caller, reseating: int) -> HttpResponse:
    del request
    return answer(_body(confirm_reseating(reseating=reseating, actor=caller.user_id)))


def _body(made: Reseating) -> ReseatingBody:
    train = plan_of(made.departure_id).train
    label_of = {int(each): train.labels[o] for o, each in enumerate(train.seat_ids)}

    return ReseatingBody(
        reseating=made.pk,
        departure=made.departure_id,
        status=made.state,
        reason=made.reason,
        lost=tuple(label_of[seat] for seat in made.lost),
        moves=tuple(_move(move, label_of) for move in made.moves),
        made_at=made.made_at,
        ended_at=made.ended_at,
    )


def _move(move: dict[str, Any], label_of: dict[int, str]) -> MoveBody:
    new = None if move["new"] is None else label_of[move["new"]]
    return MoveBody(pnr=move["pnr"], old=label_of[move["old"]], new=new)


plans = view(POST=_plan)
plan = view(GET=_show, DELETE=_drop)
confirmation = view(POST=_confirm)
