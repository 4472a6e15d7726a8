"""The `Idempotency-Key` header, and what makes two requests the same request."""

import hashlib
import re
from functools import cache
from typing import Final

from django.conf import settings
from django.http import HttpRequest

from config.errors import Invalid

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"

_PRINTABLE = re.compile(r"[\x20-\x7e]{1,255}")


def key_of(request: HttpRequest) -> str | None:
    """The request's key, or None without the header. Raises `Invalid` for a malformed one.

    The IETF draft writes the key as a quoted string; keys without quotes are as good.
    """
    raw: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if raw is None:
        return None
    key = raw.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not _PRINTABLE.fullmatch(key):
        raise Invalid({HEADER: ["Must be 1 to 255 printable ASCII characters."]})
    return key


def fingerprint(method: str, path: str, body: bytes) -> str:
    """64 hexadecimal digits that differ whenever method, path or body do.

    Keyed with the secret key: bodies may hold passwords, and a plain hash of a body would let
    whoever reads the table try passwords quickly.
    """
    digest = hashlib.blake2b(key=_secret(), digest_size=32)
    for part in (method.encode(), path.encode(), body):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def fingerprint_of(request: HttpRequest) -> str:
    """The fingerprint of a whole request, query included."""
    return fingerprint(request.method or "", request.get_full_path(), request.body)


@cache
def _secret() -> bytes:
    return hashlib.sha256(b"idempotency fingerprint" + settings.SECRET_KEY.encode()).digest()
