"""Who may come in: staff, each to what their roles allow. A stranger signs in first, a traveller is
told that it is not theirs.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from config.errors import Forbidden
from web.page import page
from web.staff.rights import Right
from web.visitor import Visitor

View = Callable[..., HttpResponse]


def board(right: Right, *, methods: tuple[str, ...] = ("GET",)) -> Callable[[View], View]:
    """Wrap a page's function, which gets a member of staff who has `right`."""

    def wrap(view: View) -> View:
        @page(scope="staff", signed_in=True, methods=methods)
        @wraps(view)
        def inside(request: HttpRequest, visitor: Visitor, **path: Any) -> HttpResponse:
            require(visitor, right)
            return view(request, visitor, **path)

        inside.__dict__["right"] = right
        return inside

    return wrap


def require(visitor: Visitor, right: Right) -> None:
    """Raises `Forbidden`."""
    if not visitor.may(right.permission):
        raise Forbidden("This needs a right that the account does not have.", right=right.value)
