"""What a token says, once its signature is known to be good.

A signature that was checked once is remembered (by the whole token, in a bounded table, in this
process), because checking it costs as much as the rest of a short call. Only good tokens are
remembered, and the expiry is judged each time, by the clock of the product.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import jwt
import msgspec
from rest_framework_simplejwt.settings import api_settings

from config import clock
from config.errors import NotAuthenticated

ALGORITHM: Final = "HS256"
MAX_TOKEN_LENGTH: Final = 2048
REMEMBERED_TOKENS: Final = 8192

_OUR_HEADER: Final = jwt.encode({}, "0" * 32, algorithm=ALGORITHM).partition(".")[0]
_decoder = jwt.PyJWT({"verify_exp": False, "verify_iat": False, "verify_nbf": False})


@dataclass(frozen=True, slots=True)
class KeyRights:
    """What an API key may do (`users.scopes`), how often, and the prefix by which it is known."""

    prefix: str
    scopes: frozenset[str]
    calls_per_minute: int


@dataclass(frozen=True, slots=True)
class Caller:
    """What a good access token says: whose it is, whether staff, and of which login (`sid`).

    `key`: it was an API key, which never has staff's rights. `actor`: the agent (an account's id)
    who acts for the customer `user_id`.
    """

    user_id: int
    is_staff: bool
    sid: str
    key: KeyRights | None = None
    actor: int | None = None

    @property
    def by_staff(self) -> bool:
        """A member of staff acts, for a customer or not."""
        return self.is_staff or (self.actor is not None and self.key is None)

    @property
    def acting(self) -> dict[str, Any]:
        """Who acted, for facts: nothing to say of travellers who act for themselves."""
        if self.actor is None and self.key is None:
            return {}
        said: dict[str, Any] = {"actor": self.actor or self.user_id}
        return said if self.key is None else {**said, "key": self.key.prefix}


@dataclass(frozen=True, slots=True)
class Claims:
    """The content of a token signed here. `kind`: `access` or `refresh`; `expires_at` in Unix
    seconds.
    """

    caller: Caller
    kind: str
    jti: str
    expires_at: int

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= clock.now().timestamp()


@lru_cache(maxsize=1)
def _key() -> bytes:
    """The verifying key as bytes; with HMAC it is the signing key."""
    return str(api_settings.SIGNING_KEY).encode()


def read(token: str, *, kind: str) -> Claims:
    """The claims of a token signed here, of that kind, expired or not.

    Raises `NotAuthenticated` for anything else.
    """
    if len(token) > MAX_TOKEN_LENGTH:
        raise NotAuthenticated("The token is not valid")
    claims = _signed(token)
    if claims.kind != kind:
        raise NotAuthenticated(f"Send the {kind} token here, not the {claims.kind} token")
    return claims


@lru_cache(maxsize=REMEMBERED_TOKENS)
def _signed(token: str) -> Claims:
    """Check the signature. What raises is not cached."""
    try:
        said = _payload(token)
        return Claims(
            caller=Caller(_user(said["sub"]), said["staff"] is True, str(UUID(said["sid"]))),
            kind=str(said["token_type"]),
            jti=str(said["jti"]),
            expires_at=_moment(said["exp"]),
        )
    except (jwt.PyJWTError, KeyError, TypeError, ValueError, AttributeError):
        raise NotAuthenticated("The token is not valid") from None


def _payload(token: str) -> dict[str, Any]:
    """What is signed. PyJWT reads it (30 µs), except where the header is word for word that of
    our own tokens: then nothing is left to be judged but the signature (6 µs).
    """
    signed, _, signature = token.rpartition(".")
    header, _, payload = signed.partition(".")
    if header != _OUR_HEADER:
        said: dict[str, Any] = _decoder.decode(token, _key(), algorithms=[ALGORITHM])
        return said
    right = urlsafe_b64encode(hmac.digest(_key(), signed.encode(), "sha256")).rstrip(b"=")
    if not hmac.compare_digest(right, signature.encode()):
        raise jwt.InvalidSignatureError
    return msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=dict)


def _user(said: Any) -> int:
    """The number of an account, as it is minted; `int` alone would take much else."""
    if not (isinstance(said, str) and said.isascii() and said.isdigit() and len(said) <= 18):
        raise ValueError("not the number of an account")
    return int(said)


def _moment(said: Any) -> int:
    if isinstance(said, bool) or not isinstance(said, int):
        raise TypeError("not a moment")
    return said
