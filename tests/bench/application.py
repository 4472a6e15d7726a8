"""What the benched server serves: the product, and beside it the floor.

The floor is what Django itself costs: one view that answers with a small JSON object, no
middleware, in the same processes and threads. Production has no trace of it.

    granian --interface wsgi tests.bench.application:application
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, JsonResponse
from django.test.utils import override_settings
from django.urls import path

from config.wsgi import application as product
from tests.bench.wire import FLOOR_PATH


def floor(request: HttpRequest) -> JsonResponse:
    del request
    response = JsonResponse({"status": "ok", "answer": 42})
    # A middleware would have said it; chunks cost a little more.
    response["Content-Length"] = len(response.content)
    return response


urlpatterns = [path(FLOOR_PATH[1:], floor)]


class _BareRequest(WSGIRequest):
    urlconf = __name__


class _BareHandler(WSGIHandler):
    """Django without middleware, over this module's one address."""

    request_class = _BareRequest


with override_settings(MIDDLEWARE=[]):
    _bare = _BareHandler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == FLOOR_PATH:
        return _bare(environ, start_response)
    return product(environ, start_response)
