"""What must be true between the stores and the audit trail: every fact one document, none invented.

Added to the engine's own checks (`reservations.invariants`) by `manage.py check_invariants`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db.models import QuerySet
from pymongo.errors import PyMongoError

from analytics.schema import FACTS, GAPS
from config import clock
from config.errors import NotFound
from config.outbox.models import OutboxEvent
from config.stores.mongo import audit_database, require_mongo
from reservations.holds import ids
from reservations.invariants.judging import AWAY, Check, Look, Result, Scope, judge
from reservations.models import Booking

T = TypeVar("T")

BATCH: Final = 1_000
# The clocks of Redis and of the shipper.
GAP_SLACK: Final = timedelta(seconds=2)
ENDINGS: Final = ("hold.released", "hold.expired", "booking.confirmed")


def check_trail(scope: Scope) -> list[Result]:
    """Make every check of the audit trail. Never raises for a store that is away."""
    return [judge(check, scope, away=(*AWAY, PyMongoError)) for check in TRAIL_CHECKS]


def _look_for_documents(scope: Scope) -> Look:
    """Facts that left PostgreSQL, or should have, and are no document."""
    require_mongo()
    oldest = clock.now() - timedelta(days=settings.ENV.audit_retention_days, hours=-1)
    wrong: dict[str, int | None] = {}
    seen = 0
    for batch in _batched(_shipped(scope, oldest)):
        seen += len(batch)
        there = audit_database()[FACTS].find({"_id": {"$in": list(batch)}}, {"_id": 1})
        for lost in batch.keys() - {document["_id"] for document in there}:
            wrong[f"fact {lost} was shipped and is no document"] = batch[lost]
    if scope.at_rest:
        waiting = _of_departures(OutboxEvent.objects.filter(shipped_at=None), scope)
        for event_id in waiting.values_list("event_id", flat=True):
            wrong[f"fact {event_id} was not shipped"] = None
    return Look(seen=seen, wrong=wrong)


def _shipped(scope: Scope, oldest: datetime) -> Iterator[tuple[str, int | None]]:
    """Event ids that must be documents, with their departures: what the outbox says it shipped,
    and the bookings whose rows it has forgotten.
    """
    shipped = OutboxEvent.objects.filter(shipped_at__isnull=False, occurred_at__gt=oldest)
    rows = _of_departures(shipped, scope).values_list("event_id", "body__departure")
    for event_id, departure in rows.iterator(chunk_size=BATCH):
        yield event_id, departure
    made = Booking.objects.exclude(status=Booking.Status.VOID).filter(created_at__gt=oldest)
    if scope.departures is not None:
        made = made.filter(departure__in=scope.departures)
    bookings = made.values_list("hold", "pnr", "cancelled_at", "departure_id")
    for batch in _chunks(bookings.iterator(chunk_size=BATCH)):
        named = {f"{hold}:confirmed": departure for hold, _, _, departure in batch}
        named |= {f"{pnr}:cancelled": departure for _, pnr, at, departure in batch if at}
        kept = OutboxEvent.objects.filter(event_id__in=list(named))
        for event_id in named.keys() - set(kept.values_list("event_id", flat=True)):
            yield event_id, named[event_id]


def _of_departures(rows: "QuerySet[OutboxEvent]", scope: Scope) -> "QuerySet[OutboxEvent]":
    if scope.departures is None:
        return rows
    return rows.filter(body__departure__in=list(scope.departures))


def _look_for_inventions(scope: Scope) -> Look:
    """Documents of holds and bookings that no hold and no booking of ours made."""
    require_mongo()
    wrong: dict[str, int | None] = {}
    seen = 0
    wanted = {"kind": {"$regex": "^(hold|booking)\\."}, **_departures(scope)}
    parts = {"kind": 1, "hold": 1, "pnr": 1, "number": 1, "departure": 1, "user": 1}
    for batch in _chunks(audit_database()[FACTS].find(wanted, parts)):
        seen += len(batch)
        holds = [document.get("hold") for document in batch]
        rows = Booking.objects.filter(hold__in=holds).values_list("hold", "pnr", "status")
        bookings = {hold: (pnr, status) for hold, pnr, status in rows}
        for document in batch:
            why = _why_invented(document, bookings)
            if why:
                wrong[f"document {document['_id']} {why}"] = document.get("departure")
    return Look(seen=seen, wrong=wrong)


def _why_invented(
    document: Mapping[str, Any], bookings: Mapping[str, tuple[str | None, str]]
) -> str:
    """Why this document cannot be; "" if it can."""
    hold, kind = document.get("hold", ""), document["kind"]
    try:
        ref = ids.read(hold)
    except NotFound:
        return "names a hold this Seatlock never made"
    what = kind.partition(".")[2]
    # A booking may be moved to another departure, and change hands; its hold does neither.
    moves = kind.startswith("booking.") and kind != "booking.confirmed"
    said = (document.get("departure"), document.get("user"))
    if not moves and (ref.departure, ref.user) != said:
        return "is of another departure or user than its hold"
    pnr, status = bookings.get(hold, (None, ""))
    if kind.startswith("booking.") and (pnr is None or pnr != document.get("pnr")):
        return "is of a booking there is not"
    if kind == "booking.cancelled":
        expected = f"{pnr}:cancelled"
        if status != Booking.Status.CANCELLED:
            return "says a booking is cancelled, which it is not"
    elif moves:
        expected = f"{pnr}:{what}"
    else:
        expected = f"{hold}:{what}"
    if document["number"]:
        expected += f":{document['number']}"
    return "" if document["_id"] == expected else f"should be named {expected}"


def _look_at_stories(scope: Scope) -> Look:
    """Each hold begins once, ends once, and has no step missing, unless a gap says why."""
    require_mongo()
    stories = audit_database()[FACTS].aggregate(
        [
            {"$match": {"hold": {"$exists": True}, **_departures(scope)}},
            {
                "$project": {
                    **dict.fromkeys(("hold", "kind", "number", "at", "departure"), 1),
                    "body.past_redis": 1,
                }
            },
            {
                "$group": {
                    "_id": "$hold",
                    "departure": {"$first": "$departure"},
                    "kinds": {"$push": "$kind"},
                    "extensions": {
                        "$push": {
                            "$cond": [{"$eq": ["$kind", "hold.extended"]}, "$number", "$$REMOVE"]
                        }
                    },
                    "first_at": {"$min": "$at"},
                    "past_redis": {"$max": "$body.past_redis"},
                }
            },
        ],
        allowDiskUse=True,
    )
    gaps = list(audit_database()[GAPS].find())
    wrong: dict[str, int | None] = {}
    seen = 0
    for story in stories:
        seen += 1
        for fault, may_be_a_gap in _faults_of(story):
            if not (may_be_a_gap and _in_gap(story["first_at"], gaps)):
                wrong[f"hold {story['_id']} {fault}"] = story["departure"]
    return Look(seen=seen, wrong=wrong)


def _faults_of(story: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    kinds = story["kinds"]
    ends = sorted(kind for kind in kinds if kind in ENDINGS)
    # Booked while Redis was away, which then found the hold there and over.
    late_word = story["past_redis"] and ends == ["booking.confirmed", "hold.expired"]
    if len(ends) > 1 and not late_word:
        yield f"has {len(ends)} endings: {', '.join(ends)}", False
    if "booking.cancelled" in kinds and "booking.confirmed" not in kinds:
        yield "was cancelled and never confirmed", False
    if "hold.held" not in kinds:
        yield "has no beginning", True
    numbers = sorted(story["extensions"])
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"was extended for the times {numbers}", True


def _in_gap(first_at: datetime, gaps: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a fact that came before this one may have been lost with Redis's memory."""
    longest = timedelta(seconds=settings.ENV.longest_hold_seconds + settings.ENV.pin_seconds)
    return any(
        gap.get("complete_until") is None
        or gap["complete_until"] - GAP_SLACK <= first_at <= gap["noticed_at"] + longest
        for gap in gaps
    )


def _look_at_fences(scope: Scope) -> Look:
    """No two holds of a departure were ever given the same fence."""
    require_mongo()
    shared = audit_database()[FACTS].aggregate(
        [
            {"$match": {"kind": "hold.held", **_departures(scope)}},
            {
                "$group": {
                    "_id": {"departure": "$departure", "fence": "$body.fence"},
                    "holds": {"$push": "$hold"},
                }
            },
            {"$match": {"holds.1": {"$exists": True}}},
        ],
        allowDiskUse=True,
    )
    wrong: dict[str, int | None] = {}
    for found in shared:
        departure, fence = found["_id"]["departure"], found["_id"]["fence"]
        holds = ", ".join(sorted(found["holds"]))
        wrong[f"departure {departure}: fence {fence} was given to {holds}"] = departure
    seen = audit_database()[FACTS].count_documents({"kind": "hold.held", **_departures(scope)})
    return Look(seen=seen, wrong=wrong)


def _departures(scope: Scope) -> dict[str, Any]:
    return {} if scope.departures is None else {"departure": {"$in": list(scope.departures)}}


def _chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    walk = iter(rows)
    while chunk := list(islice(walk, BATCH)):
        yield chunk


def _batched(pairs: Iterable[tuple[str, int | None]]) -> Iterator[dict[str, int | None]]:
    for chunk in _chunks(pairs):
        yield dict(chunk)


TRAIL_CHECKS: Final[Sequence[Check]] = (
    Check(
        name="facts-are-documents",
        about="every fact that left PostgreSQL is a document in MongoDB (P8)",
        look=_look_for_documents,
    ),
    Check(
        name="documents-are-facts",
        about="every document of a hold or booking is one that happened, under its own name (P8)",
        look=_look_for_inventions,
    ),
    Check(
        name="stories-make-sense",
        about="every hold has one beginning, at most one ending, and no step missing",
        look=_look_at_stories,
    ),
    Check(
        name="fences-were-never-shared",
        about="no two holds of a departure were given the same fence",
        look=_look_at_fences,
    ),
)
