"""Compressed answers: large ones only, and none that carries a secret.

BREACH reads a secret off the length of compressed answers that hold both the secret and text of
the attacker's. Here: answers with tokens (`auth/`) and the pages of the admin are not compressed at
all. Other answers of the API are asked for with a Bearer token, which no foreign page can make a
browser send. The secret in our own pages is the CSRF token, which Django writes differently each
time, and no foreign page makes a browser send their cookie but by leading it there (`SameSite`).
Django's middleware blurs the length of all of them with random bytes on top. Short answers
(a lock, a confirm) are left alone: compressing them costs more time than sending them.
"""

from typing import Final

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

MIN_BYTES: Final = 1400  # what fits into one packet gains nothing
SECRETIVE: Final = ("/api/v1/auth/", "/admin/")


class LargeAnswersGZipMiddleware(GZipMiddleware):
    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not response.streaming and len(getattr(response, "content", b"")) < MIN_BYTES:
            return response
        if request.path_info.startswith(SECRETIVE):
            return response
        return super().process_response(request, response)
