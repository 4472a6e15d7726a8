"""The signed token in a ticket's QR code: a JSON Web Token (EdDSA) that a gate checks offline.

It says which ticket, on which departure, which seats, until when; no name. What only the server
knows (cancelled since, boarded already) `tickets/verify/` tells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import jwt

from config import clock
from reservations.tickets.keys import key_named, ticket_keys

ALGORITHM: Final = "EdDSA"
LENGTH_MAX: Final = 4096


@dataclass(frozen=True, kw_only=True)
class TicketClaims:
    """What a token says. Times are UTC."""

    number: str
    serial: int
    pnr: str
    departure: int
    train: str
    service_date: str
    source: str
    destination: str
    seats: Sequence[str]
    expires_at: datetime


class Refused(StrEnum):
    """Why a token alone is no good."""

    FORGED = "forged"
    UNKNOWN_KEY = "unknown-key"
    EXPIRED = "expired"


class TokenRefused(Exception):  # not an answer of its own: verify tells it in its body
    def __init__(self, reason: Refused) -> None:
        super().__init__(reason.value)
        self.reason = reason


def sign(claims: TicketClaims) -> str:
    key = ticket_keys()[0]
    body = {
        "tkt": claims.number,
        "ser": claims.serial,
        "pnr": claims.pnr,
        "dep": claims.departure,
        "trn": claims.train,
        "day": claims.service_date,
        "frm": claims.source,
        "to": claims.destination,
        "sts": list(claims.seats),
        "exp": int(claims.expires_at.timestamp()),
    }
    return jwt.encode(body, key.private, algorithm=ALGORITHM, headers={"kid": key.kid})


def check(token: str) -> TicketClaims:
    """What a genuine token says. Raises `TokenRefused`."""
    try:
        key = key_named(jwt.get_unverified_header(token).get("kid"))
        if key is None:
            raise TokenRefused(Refused.UNKNOWN_KEY)
        # The clock is ours, so that expiry follows it; PyJWT's own look at `exp` is left out.
        body = jwt.decode(
            token,
            key.private.public_key(),
            algorithms=[ALGORITHM],
            options={"verify_exp": False, "require": ["tkt", "ser", "pnr", "exp"]},
        )
        claims = _read(body)
    except (jwt.InvalidTokenError, ValueError, TypeError, KeyError, OverflowError):
        raise TokenRefused(Refused.FORGED) from None
    if claims.expires_at <= clock.now():
        raise TokenRefused(Refused.EXPIRED)
    return claims


def _read(body: dict[str, Any]) -> TicketClaims:
    return TicketClaims(
        number=body["tkt"],
        serial=body["ser"],
        pnr=body["pnr"],
        departure=body["dep"],
        train=body["trn"],
        service_date=body["day"],
        source=body["frm"],
        destination=body["to"],
        seats=body["sts"],
        expires_at=datetime.fromtimestamp(body["exp"], UTC),
    )
