"""Hold ids: opaque to clients, but any server can tell whose they are.

A hold id is URL-safe base64 of 30 bytes: version (1), departure (6), owner (6), a random part (9)
and a keyed hash of these (8). The hash keeps strangers from making ids up, so a well-formed id
of mine that Redis does not know is a hold that is over (410), never somebody else's (404).
"""

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import cache
from typing import Final

from django.conf import settings

from config.errors import NotFound

VERSION: Final = 1
LENGTH: Final = 40
_RANDOM_BYTES: Final = 9
_MAC_BYTES: Final = 8
_KEY_BYTES: Final = 32


@dataclass(frozen=True)
class HoldRef:
    """What a hold id says: the departure it is on and the user it belongs to."""

    hold: str
    departure: int
    user: int


@cache
def _key(purpose: str) -> bytes:
    return hashlib.blake2b(
        settings.SECRET_KEY.encode(), digest_size=_KEY_BYTES, person=purpose.encode()
    ).digest()


def mac(purpose: str, payload: bytes, size: int = _MAC_BYTES) -> bytes:
    """A keyed hash; `purpose`, of at most 16 bytes, keeps the hashes of different things apart."""
    return hashlib.blake2b(payload, key=_key(purpose), digest_size=size).digest()


def mint(*, departure: int, user: int, seed: bytes | None = None) -> str:
    """A new hold id; with a `seed` (user, key and body of a request) always the same one."""
    unique = secrets.token_bytes(_RANDOM_BYTES)
    if seed is not None:
        unique = mac("hold seed", seed, _RANDOM_BYTES)
    body = bytes([VERSION]) + departure.to_bytes(6, "big") + user.to_bytes(6, "big") + unique
    return urlsafe_b64encode(body + mac("hold id", body)).decode()


def read(hold: str) -> HoldRef:
    """Whose hold this is. Raises `NotFound` for anything we did not mint."""
    try:
        raw = urlsafe_b64decode(hold) if len(hold) == LENGTH else b""
    except ValueError:
        raw = b""
    body, given = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not raw or body[0] != VERSION or not secrets.compare_digest(mac("hold id", body), given):
        raise NotFound("There is no such hold")
    if urlsafe_b64encode(raw).decode() != hold:
        raise NotFound("There is no such hold")
    return HoldRef(hold, int.from_bytes(body[1:7], "big"), int.from_bytes(body[7:13], "big"))


def read_own(hold: str, user: int) -> HoldRef:
    """Like `read`, and the hold must be this user's: another's looks absent (P6)."""
    ref = read(hold)
    if ref.user != user:
        raise NotFound("There is no such hold")
    return ref
