"""A plan of other seats is made while somebody takes them, blocks them, or makes a plan too."""

import threading
from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest
from django.db import connection, transaction

from reservations.availability.plans import Plan
from reservations.availability.reseating import Party, reseat
from reservations.availability.words import Words
from reservations.models import Booking, Reseating, SeatBlock
from reservations.services import choose_seats, plan_reseating
from tests.cancellation.conftest import Buy
from tests.cancellation.test_reseating import Ask, can_lock, confirm, drop, express, plan
from tests.engine import Traveller
from tests.invariants import assert_invariants
from tests.payments.paying import lock
from tests.reservations.test_booking_statement import until_somebody_waits
from trains import hooks
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)
Between = Callable[[Callable[[str], object]], None]

__all__ = ["express", "plan"]


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Between:
    """Between the look and the blocks of every plan something happens: `act` is told the seat that
    the passenger of S1-1 is to have.
    """

    def happens(act: Callable[[str], object]) -> None:
        real = choose_seats.taken_now

        def looks(found: Plan) -> Words:
            taken = real(found)
            (move,) = reseat(found.train, _with_lost(found, taken), _party(found, "S1-1"))
            assert move.new is not None
            act(found.train.labels[move.new])
            return taken

        monkeypatch.setattr(plan_reseating, "taken_now", looks)

    return happens


def _with_lost(found: Plan, taken: Words) -> Words:
    words = taken.copy()
    words[[at for at, label in enumerate(found.train.labels) if label.startswith("S1-")]] = (
        2**32 - 1
    )
    return words


def _party(found: Plan, seat: str) -> list[Party]:
    stretch, ordinal = found.stretch("AAA", "CCC"), found.train.ordinal_of[seat]
    booking = Booking.objects.earliest("pk").pk
    return [Party(booking=booking, stretch=stretch, ordinals=(ordinal,))]


def confirm_hold(who: Traveller, hold: dict[str, Any]) -> Any:
    return who.post("reservations/confirm/", {"hold": hold["hold"]})


@pytest.mark.parametrize("bought", [False, True], ids=["held", "bought"])
def test_a_seat_that_is_held_while_the_plan_is_made_is_left_to_its_holder(  # noqa: PLR0917  # fixtures
    anna: Traveller, bela: Traveller, controller: Traveller, buy: Buy, run: Departure, plan: Ask,
    between: Between, bought: bool,
) -> None:  # fmt: skip
    """The plan is made again without that seat, and keeps no more out of sale than it needs."""
    buy(anna, "S1-1")
    holds: list[dict[str, Any]] = []

    def rival(seat: str) -> None:
        if not holds:
            holds.append(lock(bela, run, seat))
            if bought:
                confirm_hold(bela, holds[0])

    between(rival)
    made = plan()
    assert made["moves"][0]["new"] != holds[0]["seats"][0]
    assert Reseating.objects.count() == 1
    assert confirm(controller, made).status_code == 200
    assert confirm_hold(bela, holds[0]).status_code == (200 if bought else 201)
    assert SeatBlock.objects.count() == 8, "the lost ones alone"
    assert_invariants(run.pk)


def test_without_the_second_look_a_passenger_is_moved_onto_a_held_seat(  # noqa: PLR0917  # fixtures
    anna: Traveller, bela: Traveller, controller: Traveller, buy: Buy, run: Departure, plan: Ask,
    between: Between, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    buy(anna, "S1-1")
    holds: list[dict[str, Any]] = []
    between(lambda seat: holds.append(lock(bela, run, seat)))
    monkeypatch.setattr(plan_reseating, "_held_meanwhile", lambda *_: False)
    assert confirm(controller, plan()).status_code == 200
    refused = confirm_hold(bela, holds[0])
    assert refused.json()["code"] == "seat-already-booked", "P2 is gone, P1 stands"


def test_when_seats_go_faster_than_a_plan_is_made_nothing_is_left_of_it(  # noqa: PLR0917  # fixtures
    anna: Traveller, bela: Traveller, buy: Buy, run: Departure, plan: Ask, between: Between
) -> None:
    buy(anna, "S1-1")
    riders = cycle((bela, anna))  # neither may hold as many
    between(lambda seat: lock(next(riders), run, seat))
    assert plan(status=503)["code"] == "unavailable"
    assert not Reseating.objects.exists()
    assert not SeatBlock.objects.exists()


def test_blocks_are_in_the_image_before_the_second_look_also_when_nobody_heard_of_them(  # noqa: PLR0917  # fixtures
    anna: Traveller, bela: Traveller, buy: Buy, run: Departure, plan: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    buy(anna, "S1-1")
    monkeypatch.setattr(hooks, "_listeners", [])  # as if the quick way had failed
    (move,) = plan()["moves"]
    assert not can_lock(bela, run, move["new"])


def test_of_two_plans_that_are_made_at_once_one_is_refused(
    anna: Traveller, controller: Traveller, buy: Buy, plan: Ask, between: Between
) -> None:
    buy(anna, "S1-1")
    others = iter([plan])
    made: list[dict[str, Any]] = []
    between(lambda _: made.extend(other() for other in others))
    assert plan(status=409)["state"] == "proposed"
    assert drop(controller, made[0]).status_code == 200
    assert not SeatBlock.objects.exists()


def test_a_seat_that_staff_are_blocking_when_the_plan_is_made_stays_theirs(
    anna: Traveller, controller: Traveller, buy: Buy, run: Departure, plan: Ask
) -> None:
    """Their block is written and not committed; the plan waits for it."""
    buy(anna, "S1-1")
    seat = run.train.seats.get(coach__label="S1", number=5)
    made: list[dict[str, Any]] = []

    def planning() -> None:
        made.append(plan())
        connection.close()

    thread = threading.Thread(target=planning)
    with transaction.atomic():
        SeatBlock.objects.create(
            departure=run, seat=seat, reason="broken", created_by=controller.user
        )
        thread.start()
        until_somebody_waits()
    thread.join(20)
    assert drop(controller, made[0]).status_code == 200
    assert [block.reason for block in SeatBlock.objects.all()] == ["broken"]
