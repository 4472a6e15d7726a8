"""Who may come in: staff. A stranger signs in first, a traveller is told that it is not theirs."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from config.errors import Forbidden
from web.page import page
from web.visitor import Visitor

View = Callable[..., HttpResponse]


def board(*, methods: tuple[str, ...] = ("GET",)) -> Callable[[View], View]:
    """Wrap a page's function, which gets the member of staff."""

    def wrap(view: View) -> View:
        @page(scope="staff", signed_in=True, methods=methods)
        @wraps(view)
        def inside(request: HttpRequest, visitor: Visitor, **path: Any) -> HttpResponse:
            if not visitor.user.is_staff:
                raise Forbidden
            return view(request, visitor, **path)

        return inside

    return wrap
