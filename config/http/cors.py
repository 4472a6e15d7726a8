"""Cross-origin rules: those of `django-cors-headers`, asked only by who they are for."""

from typing import Any

from corsheaders.middleware import CorsMiddleware
from django.http import HttpRequest
from django.utils.cache import patch_vary_headers


class OriginMiddleware(CorsMiddleware):
    """A request that names no `Origin` (all but those of browsers on other sites) gets nothing
    from the rules but the `Vary` header, which tells caches that it might have been otherwise.
    """

    def __call__(self, request: HttpRequest) -> Any:
        if "HTTP_ORIGIN" in request.META:
            return super().__call__(request)
        response: Any = self.get_response(request)
        if self.is_enabled(request):
            patch_vary_headers(response, ("origin",))
        return response
