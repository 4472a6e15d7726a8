"""Promise P8: each fact becomes exactly one document, whatever dies and whoever runs beside."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from django.db import connection
from pymongo.database import Database

from analytics.shipping import hold_facts, outbox, shipper, sink
from analytics.shipping.documents import from_outbox
from analytics.shipping.hold_facts import HOLD_FACTS
from analytics.shipping.messages import Message, Source
from analytics.shipping.outbox import OUTBOX
from analytics.shipping.requests import REQUEST_LOG
from analytics.shipping.shipper import ship_batch, ship_pending
from config import clock
from config.outbox import consumers
from config.outbox.facts import KEPT_DAYS, Fact, append
from config.outbox.models import OutboxEvent
from config.stores import keys
from config.stores.redis import holds_store
from tests.analytics.conftest import add_hold_facts, hold_fact, unshipped_hold_facts

Mongo = Database[dict[str, Any]]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("streams")]

CONFIRMED = Fact(
    event_id="h1:confirmed",
    kind="booking.confirmed",
    subject="PNR1",
    stage=3,
    body={"hold": "h1", "pnr": "PNR1", "user": 7, "departure": 145, "fare": "450.00"},
)


def log_entry(number: int) -> None:
    document = (
        f'{{"id":"r-{number}","at":1,"method":"GET","endpoint":"stations/","params":{{}},'
        '"status":200,"user":null,"duration_ms":1.5}'
    )
    holds_store().xadd(keys.REQUESTS, {"d": document})


def test_every_source_ends_in_mongodb_and_is_empty_then(mongo: Mongo) -> None:
    append(CONFIRMED)
    add_hold_facts(hold_fact("h1"), hold_fact("h1", "extended", id="h1:extended:1", number=1))
    log_entry(1)

    assert ship_pending() == 4

    assert {fact["_id"] for fact in mongo.facts.find()} == {
        "h1:held",
        "h1:extended:1",
        "h1:confirmed",
    }
    assert mongo.requests.count_documents({"_id": "r-1"}) == 1
    assert not OutboxEvent.objects.filter(shipped_at=None).exists()
    assert unshipped_hold_facts() == holds_store().xlen(keys.REQUESTS) == 0
    assert ship_pending() == 0


def test_a_fact_carries_what_it_is_found_by(mongo: Mongo) -> None:
    append(CONFIRMED)
    add_hold_facts(hold_fact("h1"))
    ship_pending()

    held, confirmed = mongo.facts.find({"hold": "h1"}).sort([("stage", 1), ("number", 1)])
    assert (held["kind"], held["subject"], held["user"], held["departure"]) == (
        "hold.held", "h1", 7, 145,
    )  # fmt: skip
    assert (held["source"], held["destination"], held["train"]) == ("CSMT", "MAO", "11057")
    assert held["body"]["seats"] == ["S1-1", "S1-2"]
    assert (confirmed["pnr"], confirmed["subject"], confirmed["stage"]) == ("PNR1", "PNR1", 3)
    assert confirmed["body"] == {"fare": "450.00"}
    assert held["schema_version"] == confirmed["schema_version"] == 1


@pytest.mark.parametrize("source", [OUTBOX, HOLD_FACTS, REQUEST_LOG], ids=lambda each: each.name)
def test_a_crash_between_insert_and_acknowledgement_leaves_one_document(
    mongo: Mongo, source: Source
) -> None:
    append(CONFIRMED)
    add_hold_facts(hold_fact("h2"))
    log_entry(1)

    def crash(messages: Sequence[Message]) -> None:
        raise ConnectionAbortedError(len(messages))

    with pytest.raises(ConnectionAbortedError):
        ship_batch(replace(source, forget=crash))
    assert mongo[source.collection].count_documents({}) == 1

    assert ship_batch(source) == (1, False)
    assert mongo[source.collection].count_documents({}) == 1
    assert ship_batch(source) == (0, False)


def test_without_the_event_id_as_document_id_the_same_crash_leaves_two(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless(event: OutboxEvent) -> dict[str, Any]:
        return from_outbox(event) | {"_id": ObjectId()}

    monkeypatch.setattr(outbox, "from_outbox", nameless)
    append(CONFIRMED)
    ship_batch(replace(OUTBOX, forget=lambda _: None))
    ship_batch(OUTBOX)
    assert mongo.facts.count_documents({"pnr": "PNR1"}) == 2


def test_the_first_document_of_a_fact_stays(mongo: Mongo) -> None:
    add_hold_facts(hold_fact("h1", at=1_000), hold_fact("h1", at=2_000))
    ship_pending()
    (fact,) = mongo.facts.find()
    assert fact["at"].timestamp() == 1.0


@pytest.mark.django_db(transaction=True)
def test_two_shippers_at_once_write_each_fact_once(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(*(_confirmed(number) for number in range(50)))
    add_hold_facts(*(hold_fact(f"h{number}", departure=number) for number in range(50)))
    both_have_read = threading.Barrier(2, timeout=30)

    def insert_together(*arguments: Any) -> Any:
        both_have_read.wait()
        return sink.insert_new(*arguments)

    monkeypatch.setattr(shipper, "insert_new", insert_together)

    def ship_both() -> int:
        try:
            return ship_batch(OUTBOX)[0] + ship_batch(HOLD_FACTS)[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(ship_both) for _ in range(2)]
        assert [run.result(60) for run in runs] == [100, 100]
    assert mongo.facts.count_documents({}) == 100
    assert unshipped_hold_facts() == 0
    # What both wanted to mark at the same moment is left to the next run, which finds it shipped.
    monkeypatch.undo()
    ship_batch(OUTBOX)
    assert not OutboxEvent.objects.filter(shipped_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_marking_rows_shipped_does_not_wait_for_who_holds_them(mongo: Mongo) -> None:
    append(_confirmed(1), _confirmed(2))
    held = OutboxEvent.objects.get(event_id="h1:confirmed").pk
    locked, release = threading.Event(), threading.Event()

    def subscriber() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT FROM outbox_outboxevent WHERE id = %s FOR UPDATE", [held])
            locked.set()
            release.wait(30)
            cursor.execute("COMMIT")
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(subscriber)
        assert locked.wait(30)
        ship_batch(OUTBOX)
        left = list(OutboxEvent.objects.filter(shipped_at=None).values_list("pk", flat=True))
        release.set()
        done.result(30)
    assert left == [held]
    assert ship_batch(OUTBOX) == (1, False)
    assert mongo.facts.count_documents({}) == 2


def test_a_fact_that_came_after_the_read_is_not_deleted_with_the_batch(mongo: Mongo) -> None:
    add_hold_facts(hold_fact("h1"))
    batch = hold_facts.read()
    add_hold_facts(hold_fact("h2"))
    hold_facts.forget(batch.messages)
    assert unshipped_hold_facts() == 1
    ship_pending()
    assert mongo.facts.find_one()["_id"] == "h2:held"  # type: ignore[index]


@pytest.mark.parametrize("guarded", [True, False])
def test_an_entry_id_that_comes_again_after_a_flush_does_not_lose_the_new_fact(
    mongo: Mongo, *, guarded: bool
) -> None:
    """The twin without the guard, a plain XDEL by id, loses it."""
    stream = keys.audit(keys.shard(145))
    holds_store().xadd(stream, hold_fact("old"), id="1000-0")
    batch = hold_facts.read()
    holds_store().delete(stream)
    holds_store().xadd(stream, hold_fact("new"), id="1000-0")

    if guarded:
        hold_facts.forget(batch.messages)
    else:
        holds_store().xdel(stream, "1000-0")

    ship_pending()
    assert mongo.facts.count_documents({"hold": "new"}) == (1 if guarded else 0)


def test_a_run_goes_on_until_nothing_waits(mongo: Mongo) -> None:
    per_read = hold_facts.READ_PER_SHARD
    facts = [hold_fact(f"h{number}", departure=0) for number in range(per_read * 2 + 1)]
    add_hold_facts(*facts)
    assert ship_pending(budget_seconds=60) == len(facts)
    assert mongo.facts.count_documents({}) == len(facts)


def test_a_run_stops_when_its_time_is_up_and_the_next_goes_on(mongo: Mongo) -> None:
    add_hold_facts(hold_fact("h1"))
    assert ship_pending(budget_seconds=0) == 0
    assert ship_pending() == 1
    assert mongo.facts.count_documents({}) == 1


def test_while_one_run_has_the_lease_another_does_nothing(mongo: Mongo) -> None:
    append(CONFIRMED)
    with holds_store().lock(keys.SHIPPER_LEASE, timeout=30):
        assert ship_pending() == 0
    assert ship_pending() == 1
    assert mongo.facts.count_documents({}) == 1


def test_a_row_is_deleted_a_week_after_both_readers_are_done_with_it(mongo: Mongo) -> None:
    assert mongo.name
    append(CONFIRMED, Fact(**{**vars(_confirmed(2)), "subscribed": True}))
    ship_pending()
    assert outbox.purge() == 0
    with clock.moved(timedelta(days=KEPT_DAYS + 1)):
        assert outbox.purge() == 1
        (left,) = OutboxEvent.objects.all()
        assert left.consumed_at is None


def test_a_row_that_was_never_shipped_is_never_deleted(mongo: Mongo) -> None:
    append(CONFIRMED, Fact(**{**vars(_confirmed(2)), "subscribed": True}))
    OutboxEvent.objects.update(consumed_at=clock.now())
    with clock.moved(timedelta(days=10 * KEPT_DAYS)):
        assert outbox.purge() == 0
    ship_pending()
    assert mongo.facts.count_documents({}) == 2


def test_a_consumer_that_raises_leaves_its_facts_to_be_consumed(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mongo.name
    append(Fact(**{**vars(_confirmed(2)), "subscribed": True}))
    heard: list[str] = []

    def deaf(_: object) -> None:
        raise OSError("not now")

    monkeypatch.setattr(consumers, "_consumers", [("booking.", deaf)])
    with pytest.raises(OSError, match="not now"):
        consumers.consume_pending()
    taking = [("booking.", lambda events: heard.extend(each.subject for each in events))]
    monkeypatch.setattr(consumers, "_consumers", taking)
    assert consumers.consume_pending() == 1
    assert heard == ["PNR2"]


def _confirmed(number: int) -> Fact:
    body = {"hold": f"h{number}", "pnr": f"PNR{number}", "user": 7, "departure": number}
    return Fact(
        event_id=f"h{number}:confirmed",
        kind="booking.confirmed",
        subject=f"PNR{number}",
        stage=3,
        body=body,
    )
