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

LONGEST: Final = 255
# A string of RFC 8941, section 3.3.3; and the form without quotes that most clients send: visible
# ASCII without what a list, a parameter or a quoted string is made of.
_QUOTED: Final = r"\"(?:[ !#-\[\]-~]|\\[\"\\])+\""
_BARE: Final = r"[!#-+\--:<-\[\]-~]+"
SYNTAX: Final = f"^(?:{_QUOTED}|{_BARE})$"
_syntax = re.compile(SYNTAX)
_escaped = re.compile(r"\\(.)")


def key_of(request: HttpRequest) -> str | None:
    """The request's key, or None without the header. Raises `Invalid` for a malformed one.

    The IETF draft makes it a string of a structured field, `"8e03978e-40d5"`, without parameters;
    `8e03978e-40d5` without quotes is the same key. A header sent twice arrives as a list, which is
    neither.
    """
    raw: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if raw is None:
        return None
    text = raw.strip(" \t")
    key = _escaped.sub(r"\1", text[1:-1]) if text.startswith('"') else text
    if not _syntax.fullmatch(text) or len(key) > LONGEST:
        raise Invalid(
            {HEADER: [f'Must be one "string" of 1 to {LONGEST} printable ASCII characters.']}
        )
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
