"""Long work in the background lets other work in between, and keeps one worker busy, not all."""

import pytest

from config import mail
from config.outbox.consumers import BATCH_SIZE
from config.stores import keys
from config.stores.leases import one_at_a_time
from config.stores.redis import HoldsStore, HoldsStoreAway, holds_store
from reservations import tasks
from reservations.models import BookingMail
from reservations.tickets import tasks as ticket_tasks

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_redis")]


def test_one_goes_on_and_the_next_when_it_has_ended() -> None:
    with one_at_a_time("work", seconds=30) as first, one_at_a_time("work", seconds=30) as second:
        assert (first, second) == (True, False)
    assert not holds_store().exists("work")
    with one_at_a_time("work", seconds=30) as third:
        assert third


def test_who_was_not_let_in_does_not_end_the_lease_of_who_was() -> None:
    with one_at_a_time("work", seconds=30):
        with one_at_a_time("work", seconds=30):
            pass
        assert holds_store().exists("work")


def test_a_process_that_died_keeps_its_lease_for_a_while_only() -> None:
    with one_at_a_time("work", seconds=30):
        assert 0 < holds_store().pttl("work") <= 30_000


def test_without_redis_all_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise HoldsStoreAway("cut off")

    monkeypatch.setattr(HoldsStore, "guarded", away)
    with one_at_a_time("work", seconds=30) as first, one_at_a_time("work", seconds=30) as second:
        assert (first, second) == (True, True)


@pytest.mark.parametrize(("seconds", "batches"), [(0.0, 1), (30.0, 3)])
def test_consuming_stops_when_its_time_is_over(
    monkeypatch: pytest.MonkeyPatch, seconds: float, batches: int
) -> None:
    left = iter([BATCH_SIZE, BATCH_SIZE, BATCH_SIZE - 1])
    taken: list[int] = []
    monkeypatch.setattr(tasks, "CONSUME_SECONDS", seconds)

    def consume() -> int:
        taken.append(next(left))
        return taken[-1]

    monkeypatch.setattr(tasks, "consume_pending", consume)
    tasks.consume_outbox()
    assert len(taken) == batches


def test_while_one_consumes_or_mails_the_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(tasks, "consume_pending", lambda: called.append("consume"))
    monkeypatch.setattr(ticket_tasks, "send_waiting", lambda: called.append("mail"))
    with (
        one_at_a_time(keys.CONSUMER_LEASE, seconds=30),
        one_at_a_time(keys.TICKET_MAIL_LEASE, seconds=30),
    ):
        tasks.consume_outbox()
        ticket_tasks.send_ticket_mail()
    assert called == []
    tasks.consume_outbox()
    ticket_tasks.send_ticket_mail()
    assert called == ["consume", "mail"]


def test_no_mail_is_begun_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "SEND_SECONDS", -1.0)
    asked: list[object] = []
    assert mail.send_due(BookingMail.objects.all(), asked.append) == 0
    assert asked == []
