"""`check_invariants` over the audit trail: what is missing, invented or out of order is told."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from pymongo.database import Database
from pymongo.errors import ServerSelectionTimeoutError

from analytics import invariants
from analytics.invariants import TRAIL_CHECKS, check_trail
from analytics.shipping.shipper import ship_pending
from config.outbox.models import OutboxEvent
from reservations.holds import ids
from reservations.invariants.judging import Scope
from tests.engine import Traveller
from tests.selling import Commits, Sale, sell
from trains.models import Departure

Mongo = Database[dict[str, Any]]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("streams")]

AT_REST = Scope(patience_seconds=0.0, at_rest=True)


@pytest.fixture
def sale(
    mongo: Mongo,
    departure: Departure,
    anna: Traveller,
    bela: Traveller,
    django_capture_on_commit_callbacks: Commits,
) -> Sale:
    """A sale whose every fact was shipped."""
    made = sell(departure, anna, bela, django_capture_on_commit_callbacks)
    ship_pending()
    return made


def faults(scope: Scope = AT_REST) -> dict[str, str]:
    """What is wrong, by check."""
    results = check_trail(scope)
    assert not [result for result in results if result.unanswered]
    return {each.name: "\n".join(each.wrong) for each in results if each.wrong}


def test_a_whole_sale_is_good_and_was_looked_at(sale: Sale) -> None:
    results = check_trail(AT_REST)
    assert not [result for result in results if not result.is_good]
    seen = {result.name: result.seen for result in results}
    assert seen["facts-are-documents"] >= 3
    assert seen["documents-are-facts"] == 9
    assert seen["stories-make-sense"] == 4
    assert seen["fences-were-never-shared"] == 4


def test_the_command_says_so_and_reads_all_stores(sale: Sale) -> None:
    out = io.StringIO()
    call_command("check_invariants", "--patience", "0", "--at-rest", stdout=out)
    assert "17 of 17 checks are good" in out.getvalue()


def test_a_fact_shipped_into_nowhere_is_told(sale: Sale, mongo: Mongo) -> None:
    mongo.facts.delete_one({"_id": f"{sale.booked['hold']}:confirmed"})
    assert f"{sale.booked['hold']}:confirmed" in faults()["facts-are-documents"]


def test_a_booking_known_to_neither_outbox_nor_mongodb_is_told(sale: Sale, mongo: Mongo) -> None:
    """Its row was purged, as it would be after a week."""
    OutboxEvent.objects.filter(kind="booking.cancelled").delete()
    assert "facts-are-documents" not in faults()
    mongo.facts.delete_one({"kind": "booking.cancelled"})
    assert f"{sale.cancelled['pnr']}:cancelled" in faults()["facts-are-documents"]


def test_a_fact_that_waits_is_told_at_rest_alone(sale: Sale) -> None:
    OutboxEvent.objects.filter(kind="booking.cancelled").update(shipped_at=None)
    assert "was not shipped" in faults()["facts-are-documents"]
    assert faults(Scope(patience_seconds=0.0)) == {}


def invent(mongo: Mongo, sale: Sale, **changed: Any) -> None:
    """Another document like the one of the booking, with something else in it."""
    document = mongo.facts.find_one({"_id": f"{sale.booked['hold']}:confirmed"})
    assert document is not None
    mongo.facts.insert_one(document | changed)


def test_a_document_under_another_name_is_told(sale: Sale, mongo: Mongo) -> None:
    invent(mongo, sale, _id="copy")
    assert "should be named" in faults()["documents-are-facts"]


def test_a_document_of_a_hold_never_made_is_told(sale: Sale, mongo: Mongo) -> None:
    invent(mongo, sale, _id="forged:confirmed", hold="forged")
    assert "never made" in faults()["documents-are-facts"]


def test_a_document_of_a_booking_there_is_not_is_told(sale: Sale, mongo: Mongo) -> None:
    hold = ids.mint(departure=sale.departure.id, user=sale.anna.user.id)
    invent(mongo, sale, _id=f"{hold}:confirmed", hold=hold)
    assert "of a booking there is not" in faults()["documents-are-facts"]


def test_a_document_of_a_cancellation_there_is_not_is_told(sale: Sale, mongo: Mongo) -> None:
    pnr = sale.booked["pnr"]
    invent(mongo, sale, _id=f"{pnr}:cancelled", kind="booking.cancelled", stage=4)
    assert "which it is not" in faults()["documents-are-facts"]


def test_a_document_of_another_user_is_told(sale: Sale, mongo: Mongo) -> None:
    mongo.facts.update_one({"kind": "hold.extended"}, {"$set": {"user": 1_000_000}})
    assert "another departure or user" in faults()["documents-are-facts"]


def test_a_hold_that_ended_twice_is_told(sale: Sale, mongo: Mongo) -> None:
    hold = sale.booked["hold"]
    invent(mongo, sale, _id=f"{hold}:expired", kind="hold.expired")
    told = faults()
    assert "2 endings: booking.confirmed, hold.expired" in told["stories-make-sense"]
    assert "documents-are-facts" not in told


def test_an_expiry_told_late_by_a_redis_that_was_away_is_excused(sale: Sale, mongo: Mongo) -> None:
    hold = sale.booked["hold"]
    invent(mongo, sale, _id=f"{hold}:expired", kind="hold.expired", body={})
    booked = {"_id": f"{hold}:confirmed"}
    mongo.facts.update_one(booked, {"$set": {"body.past_redis": True}})
    assert faults() == {}
    mongo.facts.update_one({"_id": f"{hold}:expired"}, {"$set": {"kind": "hold.released"}})
    assert "2 endings" in faults()["stories-make-sense"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [("hold.held", "has no beginning"), ("booking.confirmed", "never confirmed")],
)
def test_a_story_with_a_step_missing_is_told(
    sale: Sale, mongo: Mongo, kind: str, words: str
) -> None:
    mongo.facts.delete_many({"kind": kind})
    assert words in faults()["stories-make-sense"]


def test_an_extension_that_was_lost_is_told(sale: Sale, mongo: Mongo) -> None:
    hold = sale.hold["hold"]
    changed = {"kind": "hold.extended", "number": 3}
    invent(mongo, sale, _id=f"{hold}:extended:3", hold=hold, user=sale.bela.user.id, **changed)
    assert "extended for the times [1, 3]" in faults()["stories-make-sense"]


def test_a_beginning_lost_with_redis_is_excused_by_its_gap_alone(sale: Sale, mongo: Mongo) -> None:
    mongo.facts.delete_many({"kind": "hold.held"})
    now = datetime.now(UTC)
    gap = {"kind": "gap", "complete_until": now - timedelta(minutes=2), "noticed_at": now}
    day = timedelta(days=1)
    mongo.gaps.insert_one(
        gap | {"complete_until": now - 2 * day, "noticed_at": now - day, "_id": "old"}
    )
    assert "has no beginning" in faults()["stories-make-sense"]
    mongo.gaps.insert_one(gap | {"_id": "new"})
    assert "stories-make-sense" not in faults()


def test_a_fence_given_twice_is_told(sale: Sale, mongo: Mongo) -> None:
    mongo.facts.update_many({"kind": "hold.held"}, {"$set": {"body.fence": 5}})
    assert "fence 5 was given to" in faults()["fences-were-never-shared"]


def test_departures_not_asked_for_are_not_looked_at(sale: Sale, mongo: Mongo) -> None:
    mongo.facts.delete_many({"kind": {"$in": ["hold.held", "booking.cancelled"]}})
    other = Scope(departures=(sale.departure.id + 1,), patience_seconds=0.0, at_rest=True)
    assert faults(other) == {}
    mine = Scope(departures=(sale.departure.id,), patience_seconds=0.0, at_rest=True)
    assert set(faults(mine)) == {"facts-are-documents", "stories-make-sense"}


def test_without_mongodb_the_trail_is_unknown(sale: Sale, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise ServerSelectionTimeoutError("gone")

    monkeypatch.setattr(invariants, "require_mongo", away)
    results = check_trail(AT_REST)
    assert len(results) == len(TRAIL_CHECKS)
    assert all("gone" in result.unanswered for result in results)
