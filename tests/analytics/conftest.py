"""A clean MongoDB of the tests' own, clean streams, and facts to put into them."""

import json
import time
from typing import Any

from config.stores import keys
from config.stores.redis import holds_store

Fields = dict[Any, Any]


def hold_fact(hold: str, what: str = "held", **changed: Any) -> Fields:
    """The fields of a stream entry, as the hold scripts write them."""
    body = {
        "train": "11057", "service_date": "2026-12-01", "source": "CSMT", "destination": "MAO",
        "from_stop": 0, "to_stop": 3, "seats": ["S1-1", "S1-2"], "fare": "450.00",
        "currency": "INR", "fence": 1, "expires_at_ms": 1,
    }  # fmt: skip
    stage = {"held": 1, "extended": 2, "released": 3, "expired": 3}[what]
    fields: Fields = {
        "id": f"{hold}:{what}",
        "kind": f"hold.{what}",
        "hold": hold,
        "departure": 145,
        "user": 7,
        "stage": stage,
        "number": 0,
        "at": int(time.time() * 1000),
        "body": json.dumps(body if what == "held" else {}),
    }
    return fields | changed


def add_hold_facts(*facts: Fields) -> None:
    """XADD each into the stream of its departure's shard."""
    for fact in facts:
        holds_store().xadd(keys.audit(keys.shard(fact["departure"])), fact)


def unshipped_hold_facts() -> int:
    return sum(holds_store().xlen(keys.audit(shard)) for shard in range(keys.SHARDS))
