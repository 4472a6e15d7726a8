"""At the gate a ticket is good once, and whatever is not one of ours is told why."""

import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from config import clock
from config.outbox.models import OutboxEvent
from reservations.models import Booking
from reservations.tickets import board as board_module
from reservations.tickets.board import Checked, Turned, board
from reservations.tickets.models import Ticket
from reservations.tickets.tokens import check, sign
from tests.engine import Traveller
from tests.tickets.conftest import Book
from trains.models import Departure

GATES = 2
MEET_SECONDS = 1.0


@pytest.fixture
def token(anna: Traveller, book: Book) -> str:
    text: str = anna.get(f"tickets/{book(anna)['pnr']}/").json()["token"]
    return text


def show(who: Traveller, token: str, **body: Any) -> Any:
    answer = who.post("tickets/verify/", {"token": token, **body})
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.mark.django_db
def test_a_ticket_is_good_once_and_a_second_use_is_told(
    anna: Traveller, controller: Traveller, token: str
) -> None:
    first, second = show(controller, token), show(controller, token)
    assert (first["valid"], first["reason"], first["seats"]) == (True, None, ["S1-1"])
    assert (second["valid"], second["reason"]) == (False, "already-boarded")
    assert second["boarded_at"] == first["boarded_at"]
    assert anna.get(f"tickets/{first['pnr']}/").json()["validity_status"] == "boarded"
    (fact,) = OutboxEvent.objects.filter(kind="ticket.boarded")
    assert fact.body["actor"] == controller.user.pk


@pytest.mark.django_db
def test_only_staff_check_tickets(anna: Traveller, token: str) -> None:
    assert anna.post("tickets/verify/", {"token": token}).status_code == 403
    assert Ticket.objects.get().boarded_at is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-8],
        lambda token: "A" + token[1:],
        lambda token: token.replace(".", "", 1),
        lambda token: f"{token.split('.')[0]}..{token.split('.')[2]}",
        lambda token: token[:0] + "nonsense",
        lambda token: token[:0] + "....",
    ],
)
def test_a_token_that_was_spoiled_is_forged(controller: Traveller, token: str, spoil: Any) -> None:
    answer = show(controller, spoil(token))
    assert (answer["valid"], answer["reason"], answer["pnr"]) == (False, "forged", None)


@pytest.mark.django_db
def test_a_token_signed_with_another_key_is_not_ours(
    controller: Traveller, token: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.ENV, "ticket_signing_key", f"own:{'A' * 43}")
    assert show(controller, token)["reason"] == "unknown-key"


@pytest.mark.django_db
def test_another_train_a_cancelled_an_older_and_an_expired_ticket_are_told_apart(
    anna: Traveller, controller: Traveller, token: str, departure: Departure
) -> None:
    assert show(controller, token, departure=departure.id + 1)["reason"] == "other-departure"
    claims = check(token)
    with clock.moved(claims.expires_at - clock.now() + timedelta(seconds=1)):
        assert board(token=token, actor=controller.user.pk).reason == "expired"
    Booking.objects.update(revision=2)
    assert show(controller, token)["reason"] == "superseded"
    Booking.objects.update(revision=1)
    anna.post(f"reservations/bookings/{claims.pnr}/cancel/")
    assert show(controller, token)["reason"] == "cancelled"
    Ticket.objects.all().delete()
    assert show(controller, token)["reason"] == "not-found"
    assert sign(claims) == token  # Ed25519 signs alike each time


def at_two_gates(token: str, actor: int, monkeypatch: pytest.MonkeyPatch) -> list[Checked]:
    """Show it at two gates that meet between look and mark, if nothing keeps them apart."""
    meeting = threading.Barrier(GATES)
    decide = board_module._turned

    def meet(*seen: Any) -> Turned | None:
        verdict = decide(*seen)
        with suppress(threading.BrokenBarrierError):
            meeting.wait(MEET_SECONDS)
        return verdict

    monkeypatch.setattr(board_module, "_turned", meet)
    told: list[Checked] = []

    def gate() -> None:
        try:
            told.append(board(token=token, actor=actor))
        finally:
            connection.close()

    gates = [threading.Thread(target=gate) for _ in range(GATES)]
    for each in gates:
        each.start()
    for each in gates:
        each.join()
    return told


@pytest.mark.django_db(transaction=True)
def test_of_two_gates_at_once_exactly_one_is_first(
    controller: Traveller, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = at_two_gates(token, controller.user.pk, monkeypatch)
    assert sorted(each.valid for each in told) == [False, True]
    assert {each.reason for each in told} == {None, Turned.ALREADY_BOARDED}


@pytest.fixture
def no_row_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        type(Ticket.objects), "select_for_update", lambda self, **_: self.get_queryset()
    )


@pytest.mark.django_db(transaction=True)
def test_without_the_row_lock_both_gates_let_somebody_in(
    controller: Traveller, token: str, no_row_lock: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = at_two_gates(token, controller.user.pk, monkeypatch)
    assert [each.valid for each in told] == [True, True]
