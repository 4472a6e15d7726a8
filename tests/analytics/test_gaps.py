"""Redis that lost its memory before everything was shipped: noticed, written once, counted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from analytics.shipping import gaps, shipper
from analytics.shipping.messages import Source
from analytics.shipping.shipper import ship_pending
from config.stores import keys
from config.stores.redis import holds_store
from tests.analytics.conftest import add_hold_facts, hold_fact

Mongo = Database[dict[str, Any]]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("streams")]


def set_eras(mark: str, *shards: int) -> None:
    for shard in shards:
        holds_store().set(keys.era(shard), f"{mark}-{shard}")


def lose_memory() -> None:
    names = [keys.era(shard) for shard in range(keys.SHARDS)]
    holds_store().delete(*names, keys.SHIPPER_BEAT)


def test_a_first_start_and_new_shards_are_no_loss(mongo: Mongo) -> None:
    ship_pending()
    set_eras("first", 1)
    ship_pending()
    set_eras("first", 2, 63)
    ship_pending()
    assert mongo.gaps.count_documents({}) == 0


def test_a_lost_memory_is_one_gap_that_says_when(mongo: Mongo) -> None:
    set_eras("first", 1, 2)
    ship_pending()
    lose_memory()
    set_eras("second", 2)

    ship_pending()
    ship_pending()

    (gap,) = mongo.gaps.find()
    assert (gap["kind"], gap["reason"], gap["shards"]) == ("gap", "memory-lost", [1, 2])
    assert gap["last_seen_at"] < gap["noticed_at"]


def test_a_gap_says_until_when_every_fact_was_shipped(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not until it was last seen: then it may have been full of facts already."""
    set_eras("first", 1)
    add_hold_facts(hold_fact("before"))
    started = datetime.now(UTC)
    ship_pending()
    drained = datetime.now(UTC)
    add_hold_facts(hold_fact("stays behind"))
    with monkeypatch.context() as behind:
        behind.setattr(shipper, "SOURCES", ())  # its time is over before it comes to them
        ship_pending()
    lose_memory()
    ship_pending()
    (gap,) = mongo.gaps.find()
    slack = timedelta(milliseconds=1)  # MongoDB keeps milliseconds
    assert started - slack <= gap["complete_until"] <= drained
    assert drained - slack <= gap["last_seen_at"]


def test_an_empty_redis_that_was_not_looked_at_is_not_called_complete(mongo: Mongo) -> None:
    """Redis was away when the run began to look, and came back empty before it read."""
    set_eras("first", 1)
    ship_pending()
    drained = datetime.now(UTC)
    add_hold_facts(hold_fact("lost"))
    shipper._backoffs[shipper.MEMORY].failed()
    holds_store().flushall()
    ship_pending()
    shipper.forget_failures()
    ship_pending()
    (gap,) = mongo.gaps.find()
    assert gap["complete_until"] <= drained


def test_a_memory_lost_behind_the_look_is_not_called_complete(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_eras("first", 1)
    ship_pending()
    drained = datetime.now(UTC)
    add_hold_facts(hold_fact("lost"))
    really = shipper.ship_batch

    def lost_before(source: Source) -> tuple[int, bool]:
        holds_store().flushall()
        return really(source)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(shipper, "ship_batch", lost_before)
        ship_pending()
    (gap,) = mongo.gaps.find()
    assert gap["complete_until"] <= drained


def test_a_memory_lost_again_is_another_gap(mongo: Mongo) -> None:
    for mark in ("first", "second", "third"):
        set_eras(mark, 1)
        ship_pending()
    assert mongo.gaps.count_documents({}) == 2


def test_one_lost_shard_of_a_cluster_is_a_gap_of_that_shard(mongo: Mongo) -> None:
    set_eras("first", 1, 2)
    ship_pending()
    holds_store().delete(keys.era(2))
    ship_pending()
    (gap,) = mongo.gaps.find()
    assert gap["shards"] == [2]


def test_an_older_memory_with_the_same_eras_is_a_gap_too(mongo: Mongo) -> None:
    """A failover to a replica that lagged, or a restore from a file."""
    set_eras("first", 1)
    for _ in range(3):
        ship_pending()
    holds_store().set(keys.SHIPPER_BEAT, 1)
    ship_pending()
    (gap,) = mongo.gaps.find()
    assert (gap["reason"], gap["shards"]) == ("memory-went-back", [])
    ship_pending()
    assert mongo.gaps.count_documents({}) == 1


def test_two_shippers_that_notice_the_same_loss_write_it_once(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one read what was remembered before the first had written it anew."""
    set_eras("first", 1)
    ship_pending()
    lose_memory()
    with monkeypatch.context() as crash:
        crash.setattr(gaps, "_remember", lambda _: None)
        assert gaps.notice_losses()
    assert gaps.notice_losses()
    assert mongo.gaps.count_documents({}) == 1


def test_a_flush_in_the_middle_of_the_look_is_one_gap(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_eras("first", 1, 2)
    ship_pending()
    look = gaps._look

    def half_flushed() -> gaps.Memory:
        memory = look()
        holds_store().delete(keys.era(2))
        return memory

    holds_store().delete(keys.era(1))
    monkeypatch.setattr(gaps, "_look", half_flushed)
    gaps.notice_losses()
    gaps.notice_losses()
    (gap,) = mongo.gaps.find()
    assert gap["shards"] == [1, 2]
