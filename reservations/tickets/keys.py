"""The Ed25519 keys that sign tickets: the first of TICKET_SIGNING_KEY signs, all are believed.

Rotation: put a new key in front, and keep the old one behind it until its last ticket was used.
Without the setting one key is derived from SECRET_KEY; changing that voids every ticket.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


@dataclass(frozen=True)
class TicketKey:
    """`kid` names it in tokens and in the public list."""

    kid: str
    private: Ed25519PrivateKey

    @property
    def public_jwk(self) -> dict[str, str]:
        """The public half as a JSON Web Key (RFC 8037)."""
        x = _text(self.private.public_key().public_bytes_raw())
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "kid": self.kid,
            "x": x,
            "use": "sig",
            "alg": "EdDSA",
        }


def ticket_keys() -> tuple[TicketKey, ...]:
    """The one that signs first."""
    return _read(settings.ENV.ticket_signing_key, settings.SECRET_KEY)


def key_named(kid: Any) -> TicketKey | None:
    return next((key for key in ticket_keys() if key.kid == kid), None)


@lru_cache(maxsize=8)
def _read(setting: str, secret: str) -> tuple[TicketKey, ...]:
    if not setting:
        seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"seatlock tickets")
        return (_key(None, seed.derive(secret.encode())),)
    pairs = (part.strip().partition(":") for part in setting.split(","))
    return tuple(_key(kid, urlsafe_b64decode(seed + "=")) for kid, _, seed in pairs)


def _key(kid: str | None, seed: bytes) -> TicketKey:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    return TicketKey(kid or hashlib.sha256(public).hexdigest()[:8], private)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
