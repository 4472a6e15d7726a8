"""Release: end a live hold before its deadline, by its owner or by staff.

Also a hold that Redis does not know (any more) is buried in PostgreSQL: whoever was told that it is
over shall not find it booked, by a capability, after Redis lost its memory.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from reservations.errors import HoldExpired, IllegalState
from reservations.holds import ids, store
from reservations.holds.scripts import Outcome
from reservations.services.bury_released import bury_released


def release_hold(
    *, user: int, sid: str, hold: str, acting: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """End my hold; a hold that is over already is over (no error: the answer is the same).

    `acting`: who did it for its owner, for the fact.

    Raises `NotFound` (not mine) and `IllegalState` (a confirm is under way).
    """
    _release(ids.read_own(hold, user), sid, {"by": "owner", **acting})


def release_hold_as_staff(*, actor: int, sid: str, hold: str, reason: str) -> None:
    """Free somebody's hold. Raises `NotFound`, `HoldExpired` (it is over), `IllegalState`."""
    body = {"by": "staff", "actor": actor, "reason": reason}
    if _release(ids.read(hold), sid, body) is Outcome.GONE:
        raise HoldExpired


def _release(ref: ids.HoldRef, sid: str, body: dict[str, object]) -> Outcome:
    outcome = store.release(ref, sid, msgspec.json.encode(body).decode())
    if outcome is Outcome.PINNED:
        raise IllegalState("The hold is being confirmed.", "confirming")
    bury_released(ref, outcome)
    return outcome
