"""The QR code of a token."""

import io
from base64 import b64encode

import segno

_SCALE = 4


def qr_png(token: str) -> bytes:
    """A PNG image, four pixels a module, with the quiet zone that readers need."""
    out = io.BytesIO()
    segno.make(token, error="l", micro=False).save(out, kind="png", scale=_SCALE, border=4)
    return out.getvalue()


def qr_data_url(token: str) -> str:
    return f"data:image/png;base64,{b64encode(qr_png(token)).decode()}"
