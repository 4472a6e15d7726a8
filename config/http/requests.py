"""From DRF's request to the one Django knows, for what plain and DRF views share."""

from django.http import HttpRequest
from rest_framework.request import Request


def django_request(request: Request) -> HttpRequest:
    """The request DRF wrapped. DRF documents the attribute but gives it a private name."""
    return request._request  # noqa: SLF001
