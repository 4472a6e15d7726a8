"""What every plain view of the engine has in common: who calls, how often, and how errors look.

The hot calls leave DRF aside (its parsing and rendering cost more than the work itself); contract,
errors and description stay the same: bodies are read by `config.http.body`, errors rendered by
`config.http.problems`, operations described in `config.http.openapi`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from config.errors import Forbidden, SeatlockError
from config.http import throttles
from config.http.api_answers import allow
from config.http.pagination import envelope, read_window
from config.http.problems import explain, render
from config.http.request_log import note
from users import customers
from users.scopes import SCOPE_OF_CLASS
from users.tokens import Caller, caller_of, optional_caller, require_scope

Handler = Callable[..., HttpResponse]
Access = Literal["owner", "script-checked", "open", "staff"]

_encode = msgspec.json.Encoder(decimal_format="string").encode


class MethodNotAllowed(SeatlockError):
    code = "method-not-allowed"


def door(
    scope: str, access: Access = "owner", *, key_scope: str = ""
) -> Callable[[Handler], Handler]:
    """Wrap one method's handler, `handler(request, caller, **path) -> HttpResponse`.

    `scope`: its class of calls (`config.http.throttles.RATES`). `access`: owner, any signed-in
    caller; script-checked, the same, and the hold script itself refuses a login that ended; open,
    everybody, `caller` is then None without a token; staff. `key_scope`: what an API key must be
    allowed to (`users.scopes`), where the class of calls does not say it.

    An agent who names a customer (`Seatlock-Customer`) comes in as that customer.
    """
    needed = key_scope or SCOPE_OF_CLASS.get(scope)

    def wrap(handler: Handler) -> Handler:
        @wraps(handler)
        def inside(request: HttpRequest, **path: Any) -> HttpResponse:
            caller = _caller(request, access)
            if caller is not None and caller.key is not None:
                require_scope(caller, "read" if access == "open" else needed)
                throttles.check_key(caller.key.prefix, caller.key.calls_per_minute)
            else:
                throttles.check(request, scope, caller.user_id if caller else None)
            if caller is not None and access != "staff" and customers.META in request.META:
                caller = customers.acting_for(caller, request.META[customers.META])
                note(request, actor=caller.actor or 0)
            request.caller = caller  # type: ignore[attr-defined]  # the request log reads it
            return handler(request, caller, **path)

        return inside

    return wrap


def _caller(request: HttpRequest, access: Access) -> Caller | None:
    if access == "open":
        return optional_caller(request)
    caller = caller_of(request, check_ended=access != "script-checked")
    if access == "staff" and not caller.is_staff:
        raise Forbidden("Staff only")
    return caller


def view(**handlers: Handler) -> Callable[..., HttpResponseBase]:
    """A view from one handler a method: `view(GET=list_mine, POST=make_one)`."""

    def refuse(request: HttpRequest, **path: Any) -> HttpResponse:
        del path
        raise MethodNotAllowed(f"{request.method} is not among {', '.join(handlers)}.")

    @csrf_exempt  # bearer tokens only: nothing here trusts a cookie
    def dispatch(request: HttpRequest, **path: Any) -> HttpResponse:
        try:
            method = "GET" if request.method == "HEAD" else str(request.method)
            handler: Handler = handlers.get(method, refuse)
            return handler(request, **path)
        except Exception as error:  # noqa: BLE001  # explained, and logged if nobody foresaw it
            response = render(explain(error))
            if response.status_code == 405:
                response["Allow"] = allow(list(handlers))
            return response

    dispatch.methods = list(handlers)  # type: ignore[attr-defined]  # told by OPTIONS
    return dispatch


def answer(body: Any, status: int = 200) -> HttpResponse:
    """A JSON answer; money as strings, times in UTC."""
    return HttpResponse(_encode(body), status=status, content_type="application/json")


def encode(body: Any) -> bytes:
    return _encode(body)


def to_json(body: Any) -> Any:
    """A body as plain JSON values, as `answer` would send it."""
    return msgspec.to_builtins(body)


def page(request: HttpRequest) -> tuple[int, int]:
    """`limit` (20, at most 100) and `offset` of a list. Raises `Invalid`."""
    window = read_window(request.GET)
    return window.limit, window.offset


def paged(request: HttpRequest, results: list[Any], count: int) -> HttpResponse:
    """A list as API answers have it: `count`, `next`, `previous`, `results`."""
    return answer(envelope(request, window=read_window(request.GET), count=count, results=results))
