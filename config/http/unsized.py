"""Bodies that come without a length (chunked HTTP/1.1, streamed HTTP/2).

Django reads only as much as `Content-Length` says: without it, a body is taken for none, and a
call whose body is optional would do more than was asked (cancel all seats instead of one). So such
a body is read here, up to the limit, and given its length; what is longer gets a length beyond
the limit, which the door refuses. One of which nothing arrived is marked for the door to refuse:
servers give a body whose chunks broke off like one that has ended.
"""

import io
from collections.abc import Callable, Iterable
from typing import Any, Final

from django.conf import settings

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

BODY_LOST: Final = "seatlock.body_lost"
BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def with_lengths(application: Application) -> Application:
    """The WSGI application, behind a reader of bodies without a length."""

    def measured(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        # `input_terminated` is the server's word that reading to the end cannot hang.
        if (
            not environ.get("CONTENT_LENGTH")
            and environ["REQUEST_METHOD"] not in BODILESS
            and environ.get("wsgi.input_terminated")
        ):
            body = _read(environ["wsgi.input"], settings.ENV.max_body_bytes + 1)
            environ["wsgi.input"] = io.BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
            environ[BODY_LOST] = "HTTP_TRANSFER_ENCODING" in environ and not body.strip()
        return application(environ, start_response)

    return measured


def _read(source: Any, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while size < limit and (part := source.read(limit - size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)
