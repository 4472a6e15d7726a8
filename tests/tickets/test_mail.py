"""Each confirmed booking's ticket is mailed once; a mail server that is away is asked again."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from config import clock
from config.mail import ATTEMPTS_MAX, FIRST_WAIT
from config.outbox.consumers import consume_pending
from config.outbox.models import OutboxEvent
from reservations.tickets.issue import issue_confirmed
from reservations.tickets.mail import send_waiting
from reservations.tickets.models import TicketMail
from tests.engine import Traveller
from tests.tickets.conftest import HINDI, Book

pytestmark = pytest.mark.django_db


@pytest.fixture
def booked(anna: Traveller, book: Book) -> dict[str, Any]:
    answer = book(anna, passengers=[{"name": HINDI}])
    while consume_pending():
        pass
    return answer


def test_a_ticket_is_mailed_once_with_pdf_and_calendar_file(booked: dict[str, Any]) -> None:
    assert send_waiting() == 1
    issue_confirmed(list(OutboxEvent.objects.filter(kind="booking.confirmed")))
    assert send_waiting() == 0
    (message,) = mail.outbox
    assert message.to == ["anna@example.org"]
    assert booked["pnr"] in message.subject
    kinds = [attachment[2] for attachment in message.attachments]
    assert kinds == ["application/pdf", "text/calendar"]
    event = OutboxEvent.objects.get(kind="booking.confirmed").event_id
    assert message.extra_headers["Message-ID"] == f"<{event.replace(':', '.')}@seatlock>"


def test_a_server_that_is_away_is_asked_again_later_and_later(
    booked: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any) -> int:
        raise ConnectionRefusedError("anna@example.org")

    with monkeypatch.context() as broken:
        broken.setattr(EmailBackend, "send_messages", refuse)
        assert send_waiting() == 0
        assert send_waiting() == 0  # not due yet
        waiting = TicketMail.objects.get()
        assert (waiting.attempts, waiting.sent_at) == (1, None)
        with clock.moved(FIRST_WAIT + timedelta(seconds=1)):
            assert send_waiting() == 0
            waiting.refresh_from_db()
            assert waiting.next_at - clock.now() > FIRST_WAIT * 1.9
    assert "anna@example.org" not in caplog.text
    with clock.moved(timedelta(hours=1)):
        assert send_waiting() == 1
    assert len(mail.outbox) == 1


def test_after_many_attempts_it_is_left_to_staff(
    booked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    TicketMail.objects.update(attempts=ATTEMPTS_MAX - 1)
    assert send_waiting() == 0
    waiting = TicketMail.objects.get()
    assert waiting.given_up_at is not None
    with clock.moved(timedelta(days=3)):
        assert send_waiting() == 0
        waiting.refresh_from_db()
    assert waiting.attempts == ATTEMPTS_MAX


def test_one_mail_that_fails_does_not_keep_back_the_next(
    anna: Traveller, book: Book, booked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    book(anna, "S1-5")
    while consume_pending():
        pass
    send = EmailBackend.send_messages
    calls: list[Any] = []

    def first_fails(self: EmailBackend, messages: Any) -> int:
        calls.append(messages)
        if len(calls) == 1:
            raise ConnectionResetError
        return send(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", first_fails)
    assert send_waiting() == 1
    assert TicketMail.objects.filter(sent_at=None).count() == 1


def test_nothing_is_mailed_for_a_booking_that_was_cancelled_meanwhile(
    anna: Traveller, booked: dict[str, Any]
) -> None:
    anna.post(f"reservations/bookings/{booked['pnr']}/cancel/")
    send_waiting()
    assert mail.outbox == []
    assert not TicketMail.objects.filter(sent_at=None).exists()
