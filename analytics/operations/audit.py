"""The trail: what happened to a hold and its booking, or through a user, fact by fact."""

from dataclasses import dataclass
from typing import Any

import pymongo
from pymongo import ASCENDING

from analytics.reports.ask import REPORT_SECONDS, Pipeline, ask
from analytics.schema import FACTS, LIFTED
from config.stores.mongo import audit_database, require_mongo

_ORDER = [("stage", ASCENDING), ("number", ASCENDING), ("_id", ASCENDING)]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whose trail; at least one of the three. Several narrow it down."""

    hold: str | None = None
    pnr: str | None = None
    user: int | None = None


def trail(*, asked: Asked, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """How many facts there are, and one page of them.

    By hold or PNR: the whole story of the hold and its booking, whichever of the two was named,
    in the order it happened, (stage, number). By user: what is theirs and what they did as staff,
    story after story, the latest first.
    """
    if asked.hold is None and asked.pnr is None:
        (found,) = ask(FACTS, of_user(user=asked.user, limit=limit, offset=offset))
        count = found["count"][0]["facts"] if found["count"] else 0
        return count, [_entry(fact) for fact in found["page"]]
    require_mongo()
    with pymongo.timeout(REPORT_SECONDS):
        facts = audit_database()[FACTS]
        wanted = _story(asked)
        rows = facts.find(wanted).sort(_ORDER).skip(offset).limit(limit)
        return facts.count_documents(wanted), [_entry(fact) for fact in rows]


def of_user(*, user: int | None, limit: int, offset: int) -> Pipeline:
    """A user's facts by story. Indexes `user_time`, `actor_time`."""
    story = {"$ifNull": ["$hold", "$subject"]}
    return [
        {"$match": {"$or": [{"user": user}, {"actor": user}]}},
        {
            "$setWindowFields": {
                "partitionBy": story,
                "output": {"began": {"$min": "$at"}},
            }
        },
        {"$set": {"story": story}},
        {"$sort": {"began": -1, "story": 1, "stage": 1, "number": 1, "at": 1}},
        {
            "$facet": {
                "count": [{"$count": "facts"}],
                "page": [{"$skip": offset}, {"$limit": limit}],
            }
        },
    ]


def _story(asked: Asked) -> dict[str, Any]:
    """All facts of the hold and of the booking it became. Indexes `hold_story`, `pnr_story`.

    A fact may name only one of the two; those that name both join them.
    """
    named = {"hold": asked.hold, "pnr": asked.pnr}
    given = [{name: value} for name, value in named.items() if value is not None]
    joined = list(audit_database()[FACTS].find({"$or": given}, {"hold": 1, "pnr": 1}))
    wanted: dict[str, Any] = {
        "$or": [
            {name: {"$in": sorted({value} - {None} | {f[name] for f in joined if name in f})}}
            for name, value in named.items()
        ]
    }
    if asked.user is None:
        return wanted
    return {"$and": [wanted, {"$or": [{"user": asked.user}, {"actor": asked.user}]}]}


def _entry(fact: dict[str, Any]) -> dict[str, Any]:
    """A fact as it is answered: `id` is the event id, absent references are None."""
    return {
        "id": fact["_id"],
        "kind": fact["kind"],
        "subject": fact["subject"],
        "stage": fact["stage"],
        "number": fact["number"],
        "at": fact["at"],
        **{name: fact.get(name) for name in LIFTED},
        "body": fact["body"],
    }
