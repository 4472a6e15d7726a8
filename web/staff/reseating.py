"""Another vehicle runs on a sold departure: staff see who would sit where, and say yes or no.

    coaches as they will run ──> plan (proposed) ──> confirm: passengers move, are told
                                                └──> drop: everything is as before

A plan keeps its seats from new holds while somebody thinks about it.
"""

from dataclasses import replace
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config import clock
from config.errors import Invalid, NotFound, SeatlockError
from reservations.availability.plans import Plan, plan_of, read_again
from reservations.errors import IllegalState
from reservations.models import BookedSeat, Reseating
from reservations.services.plan_reseating import Swap, plan_reseating
from reservations.services.reseat_departure import (
    confirm_reseating,
    drop_reseating,
    find_reseating,
)
from trains.models import VehicleTemplate
from web.page import go
from web.staff.door import board
from web.staff.reasons import REASON_LEAST, asked_reason
from web.staff.rights import Right
from web.staff.showing import booking_address, departure_address, show_board, zone
from web.staff.tables import Column, Link, Table
from web.told import Told, tell
from web.visitor import Visitor
from web.words import position_name, reseating_state

STAYS: Final = ""
"""In the form: this coach runs as planned."""
AWAY: Final = "-"
"""In the form: this coach does not run."""
SEATS_MOST: Final = 2_000
EARLIER_MOST: Final = 20


@board(Right.RESEAT, methods=("GET", "POST"))
def plans(request: HttpRequest, visitor: Visitor, departure: int) -> HttpResponse:
    """Which vehicle runs for which coach; the plans there were. POST: make a plan of it."""
    plan = read_again([departure]).get(departure)
    if plan is None:
        raise NotFound(_("There is no such departure."))
    if request.method != "POST":
        return _ask(request, plan)
    try:
        made = plan_reseating(
            departure=departure,
            actor=visitor.id,
            swaps=_swaps(plan, request.POST),
            reason=asked_reason(request, least=REASON_LEAST),
        )
    except SeatlockError as refused:
        return _ask(request, plan, told=tell(refused), status=int(refused.problem.status))
    return go(request, _address(made))


def _ask(
    request: HttpRequest, plan: Plan, *, told: Told | None = None, status: int = 200
) -> HttpResponse:
    made = list(Reseating.objects.filter(departure=plan.departure).order_by("-pk")[:EARLIER_MOST])
    answer = show_board(
        request,
        "web/staff/reseatings.html",
        at="departures",
        tables=[_earlier(made)] if made else [],
        plan=plan,
        coaches=_coaches(plan, request.POST),
        told=told,
        reason=request.POST.get("reason", ""),
        open=next((each for each in made if each.state == Reseating.State.PROPOSED), None),
        is_over=plan.ends_at <= clock.now(),
    )
    answer.status_code = status
    return answer


def _coaches(plan: Plan, said: QueryDict) -> list[dict[str, Any]]:
    """The coaches in running order, with the vehicles that have seats of their class."""
    train = plan.train
    of_class: dict[str, list[VehicleTemplate]] = {}
    for template in VehicleTemplate.objects.filter(mode=train.mode).order_by("code"):
        of_class.setdefault(template.travel_class, []).append(template)
    return [
        {
            "label": coach.label,
            "class": coach.travel_class,
            "seats": int((train.coach_of[train.seat_ids >= 0] == at).sum()),
            "vehicles": [
                (each.code, int(each.layout["capacity"]), each.code == coach.template)
                for each in of_class.get(coach.travel_class, [])
            ],
            "vehicle": said.get(f"vehicle-{coach.label}", STAYS),
            "left": said.get(f"seats-{coach.label}", ""),
        }
        for at, coach in enumerate(train.coaches)
    ]


def _swaps(plan: Plan, said: QueryDict) -> list[Swap]:
    """What the form says of each coach that does not run as planned. Raises `Invalid`."""
    found = []
    for coach in plan.train.coaches:
        vehicle = said.get(f"vehicle-{coach.label}", STAYS)
        if vehicle == STAYS:
            continue
        seats = said.get(f"seats-{coach.label}", "").strip()
        if seats and not (seats.isascii() and seats.isdigit() and int(seats[:5]) <= SEATS_MOST):
            told = _("%(coach)s: a whole number of seats.") % {"coach": coach.label}
            raise Invalid({f"seats-{coach.label}": [told]})
        found.append(
            Swap(
                coach=coach.label,
                vehicle=None if vehicle == AWAY else vehicle[:40],
                seats=int(seats) if seats else None,
            )
        )
    if not found:
        raise Invalid({"coaches": [_("Say of a coach at least how it runs.")]})
    return found


@board(Right.RESEAT)
def one(request: HttpRequest, visitor: Visitor, reseating: int) -> HttpResponse:
    """A plan: who moves where, who has no seat; and what became of it."""
    del visitor
    return _show(request, find_reseating(reseating))


def _show(
    request: HttpRequest, made: Reseating, *, told: Told | None = None, status: int = 200
) -> HttpResponse:
    plan = plan_of(made.departure_id)
    without = [move for move in made.moves if move["new"] is None]
    answer = show_board(
        request,
        "web/staff/reseating.html",
        at="departures",
        tables=_tables(plan, made),
        plan=plan,
        made=made,
        state=reseating_state(made.state),
        counts=[
            (_("Seats the other vehicle lacks"), len(made.lost), False),
            (_("Passengers who move"), len(made.moves) - len(without), False),
            (_("Without a seat"), len(without), bool(without)),
            (_("Bookings"), len({move["booking"] for move in made.moves}), False),
        ],
        is_open=made.state == Reseating.State.PROPOSED,
        told=told,
    )
    answer.status_code = status
    return answer


@board(Right.RESEAT, methods=("POST",))
def confirm(request: HttpRequest, visitor: Visitor, reseating: int) -> HttpResponse:
    """Do it, or say why it cannot be done now. Raises `Invalid`, `NotFound`."""
    reason = asked_reason(request, least=REASON_LEAST)
    try:
        made = confirm_reseating(reseating=reseating, actor=visitor.id, reason=reason)
    except IllegalState as refused:
        told = tell(refused)
        told = replace(told, text=_why_not(refused.data["state"]) or told.text)
        return _show(request, find_reseating(reseating), told=told, status=409)
    moved = len([move for move in made.moves if move["new"] is not None])
    said = ngettext(
        "Done: %(count)s passenger has another seat and is told.",
        "Done: %(count)s passengers have other seats and are told.",
        moved,
    )
    messages.success(request, said % {"count": moved})
    return go(request, _address(made))


@board(Right.RESEAT, methods=("POST",))
def drop(request: HttpRequest, visitor: Visitor, reseating: int) -> HttpResponse:
    """Leave everything as it is. Raises what `drop_reseating` raises."""
    reason = asked_reason(request, least=REASON_LEAST)
    made = drop_reseating(reseating=reseating, actor=visitor.id, reason=reason)
    messages.success(request, _("The plan is dropped. What it kept is on sale again."))
    return go(request, departure_address(made.departure_id))


def _why_not(state: str) -> str:
    """What keeps a plan from being done; "" where it is the plan that is over."""
    if state == "held":
        return _("A seat that is lost is held by somebody. Try again when the hold is over.")
    if state == "outdated":
        return _("A seat that is lost was booked since. Drop this plan and make another.")
    return ""


def _tables(plan: Plan, made: Reseating) -> list[Table]:
    """Who has no seat comes first."""
    names = _names(made)
    moving = [move for move in made.moves if move["new"] is not None]
    without = [move for move in made.moves if move["new"] is None]
    tables = []
    if without:
        tables.append(
            Table(
                key="without",
                title=_("Without a seat"),
                lead=_("The other vehicle has no place for them: the whole fare goes back."),
                columns=[Column(_("PNR"), "code"), Column(_("Passenger")), Column(_("Seat"))],
                rows=[(_booking(move), names.get(_key(move), ""), *_seat(plan, move["old"])[:1])
                      for move in without],
            )
        )  # fmt: skip
    tables.append(
        Table(
            key="moves",
            title=_("Who moves"),
            columns=[
                Column(_("PNR"), "code"),
                Column(_("Passenger")),
                Column(_("Old seat")),
                Column(_("Old place")),
                Column(_("New seat")),
                Column(_("New place")),
            ],
            rows=[
                (
                    _booking(move),
                    names.get(_key(move), ""),
                    *_seat(plan, move["old"]),
                    *_seat(plan, move["new"]),
                )
                for move in moving
            ],
            empty=_("Nobody sits on a seat that is lost."),
        )
    )
    return tables


def _key(move: dict[str, Any]) -> tuple[int, int]:
    return move["booking"], move["old"]


def _booking(move: dict[str, Any]) -> Link:
    return Link(move["pnr"], booking_address(move["pnr"]))


def _seat(plan: Plan, seat: int) -> tuple[str, str]:
    """Its label, and where it is in words: class and place."""
    train = plan.train
    ordinal = int((train.seat_ids == seat).argmax())
    place = (train.travel_class_of(ordinal), position_name(train.positions[ordinal]))
    return train.labels[ordinal], " · ".join(filter(None, place))


def _names(made: Reseating) -> dict[tuple[int, int], str]:
    """Who sits on a lost seat, or sat there and was moved, by booking and old seat."""
    rows = BookedSeat.objects.filter(booking__in={move["booking"] for move in made.moves})
    found = {(row.booking_id, row.seat_id): (row.passenger or {}).get("name", "") for row in rows}
    return {
        _key(move): found.get(_key(move)) or found.get((move["booking"], move["new"]), "")
        for move in made.moves
    }


def _earlier(made: list[Reseating]) -> Table:
    return Table(
        key="plans",
        title=_("Plans for this departure"),
        columns=[
            Column(_("Plan"), "code"),
            Column(_("State")),
            Column(_("Why")),
            Column(_("Seats lost"), "number"),
            Column(_("Passengers"), "number"),
            Column(_("Made at"), "moment"),
            Column(_("Ended at"), "moment"),
        ],
        rows=[
            (
                Link(str(each.pk), _address(each)),
                reseating_state(each.state),
                each.reason,
                len(each.lost),
                len(each.moves),
                each.made_at,
                each.ended_at,
            )
            for each in made
        ],
        zone=zone(),
    )


def _address(made: Reseating) -> str:
    return reverse("web:staff:reseating", args=[made.pk])
