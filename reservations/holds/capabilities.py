"""Capabilities: a signed copy of a hold in its holder's hands, for the day Redis forgets it.

It names era, deadline and the member's own bytes (seats, stretch, fence, fare). The pin script
believes it only when the era shows that Redis lost its memory (docs/ARCHITECTURE.md, rule 10).
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

import msgspec

from config.errors import Invalid
from reservations.holds.ids import mac

_MAC_BYTES: Final = 16


@dataclass(frozen=True)
class Capability:
    """`member` is the member's exact text; `deadline_ms` on the Redis clock."""

    era: str
    deadline_ms: int
    member: str

    @property
    def hold(self) -> str:
        return self.member.partition(" ")[0]


def seal(capability: Capability) -> str:
    """The capability as clients carry it: URL-safe base64 of payload and keyed hash."""
    payload = msgspec.msgpack.encode((capability.era, capability.deadline_ms, capability.member))
    return urlsafe_b64encode(payload + mac("capability", payload, _MAC_BYTES)).decode().rstrip("=")


def open_sealed(text: str) -> Capability:
    """Read a capability. Raises `Invalid` (field `capability`) if it is not one of ours."""
    try:
        raw = urlsafe_b64decode(text + "==")  # the most that `seal` leaves out; more does no harm
    except ValueError:
        raw = b""
    payload, given = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not payload or not secrets.compare_digest(mac("capability", payload, _MAC_BYTES), given):
        raise Invalid({"capability": ["This is not a capability of a hold."]})
    era, deadline_ms, member = msgspec.msgpack.decode(payload, type=tuple[str, int, str])
    return Capability(era, deadline_ms, member)
