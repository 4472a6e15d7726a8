"""Signatures to the Standard Webhooks specification, version 1.0.0 (symmetric, `v1`).

webhook-id         the message's name, the same at each try
webhook-timestamp  of this try, Unix seconds; receivers allow five minutes
webhook-signature  v1,<base64 of HMAC-SHA256 over "id.timestamp.body">, one for each secret
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

MARK: Final = "whsec_"
SECRET_BYTES: Final = 32


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64 (the specification: 24 to 64)."""
    return MARK + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers_of(
    *, name: str, timestamp: int, body: bytes, signing_secrets: Sequence[str]
) -> dict[str, str]:
    """The three headers; a signature for each secret, the newest first."""
    signed = f"{name}.{timestamp}.".encode() + body
    return {
        "webhook-id": name,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(each, signed) for each in signing_secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(MARK))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
