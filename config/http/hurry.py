"""A request does not wait for the holds' Redis longer than REDIS_TIMEOUT_SECONDS, once."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config.stores.timing import hurried


class HurryMiddleware:
    """What a view asks of Redis is in a hurry (`config.stores.timing`)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with hurried():
            return self.get_response(request)
