"""What became of the holds that were taken."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from analytics.reports.ask import Pipeline, ask
from analytics.schema import FACTS

_ENDINGS: Final = {
    "confirmed": "booking.confirmed",
    "released": "hold.released",
    "expired": "hold.expired",
}


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """Of the `held` holds taken since `since`: each is one of confirmed, released, expired, open.

    `conversion` and `expiry` are the shares of confirmed and expired ones, None without holds.
    """

    since: datetime
    held: int
    extended: int
    confirmed: int
    released: int
    expired: int
    open: int
    conversion: float | None
    expiry: float | None


def funnel(*, since: datetime) -> Funnel:
    """The holds taken since then, each by how it ended so far."""
    counts = next(iter(ask(FACTS, pipeline(since=since))), {})
    held, confirmed, released, expired = (
        counts.get(name, 0) for name in ("held", "confirmed", "released", "expired")
    )
    return Funnel(
        since=since,
        held=held,
        extended=counts.get("extended", 0),
        confirmed=confirmed,
        released=released,
        expired=expired,
        open=held - confirmed - released - expired,
        conversion=round(confirmed / held, 4) if held else None,
        expiry=round(expired / held, 4) if held else None,
    )


def pipeline(*, since: datetime) -> Pipeline:
    """Index `kind_time`, covered. First each hold by itself, so that none counts twice.

    A hold that both was booked and has run out (a confirm that was slower than the sweep cannot
    be, but a capability can outlive a lost Redis) is booked.
    """
    kinds = ["hold.held", "hold.extended", *_ENDINGS.values()]
    has = {name: {"$max": {"$eq": ["$kind", kind]}} for name, kind in _ENDINGS.items()}
    booked, released, expired = "$confirmed", "$released", "$expired"
    return [
        {"$match": {"kind": {"$in": kinds}, "at": {"$gte": since}, "hold": {"$gt": ""}}},
        {
            "$group": {
                "_id": "$hold",
                "held": {"$max": {"$eq": ["$kind", "hold.held"]}},
                "extended": {"$max": {"$eq": ["$kind", "hold.extended"]}},
                **has,
            }
        },
        {"$match": {"held": True}},
        {
            "$group": {
                "_id": None,
                "held": {"$sum": 1},
                "extended": {"$sum": {"$toInt": "$extended"}},
                "confirmed": {"$sum": {"$toInt": booked}},
                "released": {"$sum": {"$toInt": {"$and": [released, {"$not": [booked]}]}}},
                "expired": {
                    "$sum": {
                        "$toInt": {"$and": [expired, {"$not": [booked]}, {"$not": [released]}]}
                    }
                },
            }
        },
    ]
