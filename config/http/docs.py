"""The API's description: the OpenAPI document, and two pages that show it to people.

Open to all and served from this process alone: a policy in the header keeps browsers from asking
any other host (Redoc's bundle, for one, wants a logo from its makers). The document changes with
the code and nothing else, so a process makes it once.
"""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import method_decorator
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerView,
)

# Both pages hold their own script and styles in line; blob: and the worker are Redoc's search.
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src blob:; "
    "base-uri 'none'; frame-ancestors 'none'"
)

View = Callable[..., HttpResponseBase]


def ours_only(view: View) -> View:
    """Let browsers fetch nothing for this page but from us."""

    @wraps(view)
    def inside(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Content-Security-Policy"] = _POLICY
        return response

    return inside


@cache
def _document() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return found


class KeptGenerator(SchemaGenerator):
    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        """The one document there is, whoever asks."""
        del request, public
        return _document()


class SchemaView(SpectacularAPIView):
    """OpenAPI 3.1, as YAML or (`?format=json`) JSON."""

    generator_class = KeptGenerator


@method_decorator(ours_only, name="dispatch")
class SwaggerView(SpectacularSwaggerView):
    pass


@method_decorator(ours_only, name="dispatch")
class RedocView(SpectacularRedocView):
    pass
