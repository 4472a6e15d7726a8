"""The travellers named with a lock, for the minutes until their hold is confirmed or over.

They lie in one key of their own beside the hold, so that no script, member or fact ever carries
a name. The key dies with the longest life a hold can have; lost, the names are asked for again.
"""

import logging
from collections.abc import Sequence
from typing import Any

import msgspec
from django.conf import settings

from config.stores import keys
from config.stores.redis import AWAY, as_bytes, holds_store
from reservations.holds.ids import HoldRef

logger = logging.getLogger(__name__)


def keep(ref: HoldRef, people: Sequence[dict[str, Any]]) -> None:
    """Remember them, in the order of the hold's seats."""
    env = settings.ENV
    lives_seconds = env.longest_hold_seconds + 2 * env.pin_seconds
    holds_store().set(_key(ref), msgspec.json.encode(people), ex=lives_seconds)


def find(ref: HoldRef) -> list[dict[str, Any]] | None:
    """Those that were kept; None if they are gone or cannot be read now."""
    try:
        kept = as_bytes(holds_store().get(_key(ref)))
    except AWAY:
        logger.warning("the travellers of a hold cannot be read", exc_info=True)
        return None
    return None if kept is None else msgspec.json.decode(kept, type=list[dict[str, Any]])


def forget(ref: HoldRef) -> None:
    """Erase them before their time."""
    holds_store().delete(_key(ref))


def _key(ref: HoldRef) -> str:
    return keys.people(keys.shard(ref.departure), ref.hold)
