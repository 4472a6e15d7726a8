"""A message that no collection takes is set aside, kept as it came, and holds up nobody."""

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from pymongo.database import Database
from pymongo.errors import BulkWriteError, PyMongoError

from analytics.shipping import shipper, sink
from analytics.shipping.dead_letters import RAW_CAP_BYTES
from analytics.shipping.hold_facts import HOLD_FACTS
from analytics.shipping.shipper import ship_batch, ship_pending
from config.outbox.facts import Fact, append
from config.outbox.models import OutboxEvent
from config.stores import keys
from config.stores.redis import holds_store
from tests.analytics.conftest import Fields, add_hold_facts, hold_fact, unshipped_hold_facts

Mongo = Database[dict[str, Any]]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("streams")]

UNREADABLE: dict[str, Fields] = {
    "no body": {"id": "x", "kind": "hold.held", "hold": "h"},
    "body is no object": hold_fact("h", body="[1]"),
    "body is no JSON": hold_fact("h", body="{"),
    "number is no number": hold_fact("h", number="first"),
    "no event id": hold_fact("h", id=""),
    "not UTF-8": hold_fact("h", kind=b"\xff\xfe"),
    "a moment that never comes": hold_fact("h", at=10**30),
    "a number beyond int64": hold_fact("h", body=json.dumps({"fence": 10**30})),
    "a number beyond int64 as stage": hold_fact("h", stage=10**30),
    "a name with a NUL byte": hold_fact("h", body='{"a\\u0000b": 1}'),
    "too large": hold_fact("h", body=json.dumps({"seats": "x" * sink.MAX_DOCUMENT_BYTES})),
    "nested without end": hold_fact("h", body='{"a":' * 300 + "1" + "}" * 300),
}


@pytest.mark.parametrize("wrong", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_bad_hold_fact_becomes_one_dead_letter_and_its_neighbours_arrive(
    mongo: Mongo, wrong: Fields
) -> None:
    stream = keys.audit(3)
    add_hold_facts(hold_fact("before", departure=3))
    holds_store().xadd(stream, wrong)
    add_hold_facts(hold_fact("after", departure=3))

    assert ship_pending() == 3

    assert {fact["hold"] for fact in mongo.facts.find()} == {"before", "after"}
    (letter,) = mongo.dead_letters.find()
    assert letter["source"] == "audit"
    assert letter["reason"]
    assert len(letter["raw"]) <= RAW_CAP_BYTES < sink.MAX_DOCUMENT_BYTES
    assert unshipped_hold_facts() == 0


def test_a_bad_outbox_row_becomes_one_dead_letter_and_is_not_read_again(mongo: Mongo) -> None:
    bad = Fact(event_id="bad", kind="x.y", subject="s", stage=1, body={"big": 10**30})
    good = Fact(event_id="good", kind="x.y", subject="s", stage=1)
    append(bad, good)
    assert ship_pending() == 2
    assert [fact["_id"] for fact in mongo.facts.find()] == ["good"]
    (letter,) = mongo.dead_letters.find()
    assert json.loads(letter["raw"])["body"] == {"big": 10**30}
    assert not OutboxEvent.objects.filter(shipped_at=None).exists()


def test_a_bad_log_entry_becomes_one_dead_letter(mongo: Mongo) -> None:
    holds_store().xadd(keys.REQUESTS, {"d": "{}"})
    holds_store().xadd(keys.REQUESTS, {"other": "field"})
    assert ship_pending() == 2
    assert mongo.requests.count_documents({}) == 0
    assert mongo.dead_letters.count_documents({"source": "requests"}) == 2


def test_the_same_dead_letter_read_twice_is_kept_once(mongo: Mongo) -> None:
    for _ in range(2):
        holds_store().xadd(keys.audit(3), UNREADABLE["body is no JSON"])
        ship_pending()
    assert mongo.dead_letters.count_documents({}) == 1


def test_a_document_the_schema_refuses_is_the_documents_own_fault(mongo: Mongo) -> None:
    shaped = {"kind": "a.b", "subject": "s", "stage": 1, "number": 0, "schema_version": 1}
    good = {"_id": "good", **shaped, "at": datetime.now(UTC)}
    rejected = sink.insert_new("facts", [{"_id": "bad", **shaped}, good])
    assert [each.position for each in rejected] == [0]
    assert mongo.facts.count_documents({}) == 1


def test_a_server_that_cannot_write_is_nobodys_fault_and_nothing_is_buried(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_hold_facts(hold_fact("h1"))

    def no_space(*_: Any, **__: Any) -> None:
        error = {"index": 0, "code": 14031, "errmsg": "out of disk space"}
        raise BulkWriteError({"writeErrors": [error], "writeConcernErrors": []})

    with monkeypatch.context() as broken:
        broken.setattr("pymongo.collection.Collection.insert_many", no_space)
        with pytest.raises(PyMongoError, match="out of disk space"):
            ship_batch(HOLD_FACTS)
    assert unshipped_hold_facts() == 1
    assert mongo.dead_letters.count_documents({}) == 0
    ship_batch(HOLD_FACTS)
    assert mongo.facts.count_documents({}) == 1


def test_an_answer_without_a_majority_is_no_answer(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_hold_facts(hold_fact("h1"))
    insert_many = type(mongo.facts).insert_many

    def unsure(*arguments: Any, **options: Any) -> None:
        insert_many(*arguments, **options)
        lagging = {"code": 64, "errmsg": "waiting for replication timed out"}
        raise BulkWriteError({"writeErrors": [], "writeConcernErrors": [lagging]})

    with monkeypatch.context() as broken:
        broken.setattr("pymongo.collection.Collection.insert_many", unsure)
        with pytest.raises(BulkWriteError):
            ship_batch(HOLD_FACTS)
    assert unshipped_hold_facts() == 1
    ship_batch(HOLD_FACTS)
    assert mongo.facts.count_documents({}) == 1


def test_every_write_asks_for_the_journals_of_a_majority(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_hold_facts(hold_fact("h1"))
    insert_many = type(mongo.facts).insert_many
    asked: list[dict[str, Any]] = []

    def noted(self: Any, *arguments: Any, **options: Any) -> Any:
        asked.append(self.write_concern.document)
        return insert_many(self, *arguments, **options)

    monkeypatch.setattr("pymongo.collection.Collection.insert_many", noted)
    ship_batch(HOLD_FACTS)
    assert asked
    assert all((each["w"], each["j"]) == ("majority", True) for each in asked)


def test_a_letter_that_cannot_be_kept_leaves_its_message_where_it_is(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds_store().xadd(keys.audit(3), UNREADABLE["no body"])

    def away(*_: Any) -> None:
        raise PyMongoError("no primary")

    with monkeypatch.context() as broken:
        broken.setattr(shipper, "bury", away)
        with pytest.raises(PyMongoError, match="no primary"):
            ship_batch(HOLD_FACTS)
    assert unshipped_hold_facts() == 1
    ship_batch(HOLD_FACTS)
    assert mongo.dead_letters.count_documents({}) == 1


def test_only_a_document_of_the_same_name_is_taken_for_this_one(mongo: Mongo) -> None:
    """An index of the operators' own that refuses another document must not swallow it."""
    mongo.facts.create_index("hold", unique=True, name="of_operators")
    try:
        add_hold_facts(hold_fact("h1"))
        ship_batch(HOLD_FACTS)
        add_hold_facts(hold_fact("h1", id="h1:another", kind="hold.released"))
        with pytest.raises(PyMongoError, match="11000"):
            ship_batch(HOLD_FACTS)
    finally:
        mongo.facts.drop_index("of_operators")
    assert unshipped_hold_facts() == 1


def test_operators_see_the_letters_with_their_reasons(mongo: Mongo) -> None:
    holds_store().xadd(keys.audit(3), UNREADABLE["no body"])
    ship_pending()
    shown = StringIO()
    call_command("dead_letters", stdout=shown)
    assert mongo.dead_letters.count_documents({}) == 1
    assert "field 'body' is missing" in shown.getvalue()
    assert "kind hold.held" in shown.getvalue()
