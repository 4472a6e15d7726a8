"""What may come in: the one place where a request's body, query and path are judged as text.

Plain views call `read_json`; DRF views have `StrictJSONParser` over the same rules, and
`DoorMiddleware` refuses for both what no view should see. Refused are: bodies beyond
MAX_BODY_BYTES (413), other types than JSON (415), and with 400 what is not JSON, is not an
object, holds NUL (PostgreSQL cannot store it), a whole number beyond 64 bits, or nests too deep.
"""

import re
from collections.abc import Callable
from typing import IO, Any, Final, TypeVar

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.parsers import BaseParser

from config.errors import Invalid, SeatlockError
from config.http.api_answers import API_PREFIX
from config.http.problems import render
from config.http.requests import django_request
from config.http.unsized import BODY_LOST

T = TypeVar("T")

INT64_MAX: Final = 2**63 - 1
INT64_MIN: Final = -(2**63)
MAX_DEPTH: Final = 32
JSON: Final = "application/json"

# Cheap signs in the raw bytes; only a body that shows one is walked in full.
_SUSPICIOUS = re.compile(rb"\\u0000|\d{19}")
_PLACE = re.compile(r" - at `\$\.?(.*)`$")
_MISSING = re.compile(r"^Object missing required field `(.+)`")
_anything = msgspec.json.Decoder()


class TooLarge(SeatlockError):
    code = "too-large"


class UnsupportedMediaType(SeatlockError):
    code = "unsupported-media-type"


def read_json(request: HttpRequest, decoder: "msgspec.json.Decoder[T]") -> T:
    """The body as the decoder's type; an empty body counts as `{}`.

    Raises `TooLarge`, `UnsupportedMediaType`, and `Invalid` naming the field.
    """
    body = request.body  # Django checks MAX_BODY_BYTES here
    if not body:
        return decode(b"{}", decoder)
    if request.content_type != JSON:
        raise UnsupportedMediaType(f"Send {JSON}, not {request.content_type or 'nothing'}")
    return decode(body, decoder)


def decode(body: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    """JSON as the decoder's type. Raises `Invalid`."""
    try:
        if _SUSPICIOUS.search(body):
            refuse_odd_values(_anything.decode(body))
        return decoder.decode(body)
    except RecursionError:
        raise Invalid({"body": ["Nested too deep."]}) from None
    except msgspec.ValidationError as wrong:
        raise Invalid(_by_field(str(wrong))) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise Invalid({"body": [f"Not valid JSON: {wrong}"]}) from None


def _by_field(message: str) -> dict[str, list[str]]:
    """The decoder's message as a field path: `seats.0` for "... - at `$.seats[0]`"."""
    place = _PLACE.search(message)
    path = re.sub(r"\[(\d+)\]", r".\1", place[1].replace("[...]", "")) if place else ""
    said = _PLACE.sub("", message)
    if missing := _MISSING.match(said):
        return {f"{path}.{missing[1]}".strip("."): ["This field is required."]}
    return {path.strip(".") or "body": [f"{said}."]}


def refuse_odd_values(document: Any) -> None:
    """Raise `Invalid` for what the stores cannot keep, wherever it hides in a decoded document.

    Walks with a list instead of calling itself: depth is the sender's choice.
    """
    ahead: list[tuple[str, int, Any]] = [("", 1, document)]
    while ahead:
        path, depth, value = ahead.pop()
        if depth > MAX_DEPTH:
            raise Invalid({path.split(".")[1]: [f"Nested deeper than {MAX_DEPTH} levels."]})
        if isinstance(value, str):
            _refuse_nul(value, path)
        elif isinstance(value, int):
            if not INT64_MIN <= value <= INT64_MAX:
                raise Invalid({path[1:] or "body": ["The number is too large."]})
        elif isinstance(value, dict):
            for name, inner in value.items():
                _refuse_nul(name, path)
                ahead.append((f"{path}.{name}", depth + 1, inner))
        elif isinstance(value, list):
            ahead.extend((f"{path}.{i}", depth + 1, inner) for i, inner in enumerate(value))


def _refuse_nul(text: str, path: str) -> None:
    if "\0" in text:
        raise Invalid({path[1:] or "body": ["Null characters are not allowed."]})


class StrictJSONParser(BaseParser):
    """DRF's `DEFAULT_PARSER_CLASSES`: an object, under the rules of this module."""

    media_type = JSON

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> dict[str, Any]:
        del media_type, stream
        # Through Django's `body`, which has the size limit and stays readable for fingerprints.
        request = django_request(parser_context["request"])
        if request.content_type != JSON:  # DRF would take a type with a star in it
            raise UnsupportedMediaType(f"Send {JSON}, not {request.content_type}")
        document = decode(request.body, _anything)
        if not isinstance(document, dict):
            raise Invalid({"body": ["Send a JSON object."]})
        refuse_odd_values(document)
        return document


class DoorMiddleware:
    """Refuses, before any view, bodies beyond the limit or cut short, and NUL in path or query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            self.judge(request)
        except SeatlockError as refused:
            return render(refused)
        return self.get_response(request)

    def judge(self, request: HttpRequest) -> None:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if len(length) > 15 or (length.isdigit() and int(length) > settings.ENV.max_body_bytes):
            raise TooLarge(f"At most {settings.ENV.max_body_bytes} bytes")
        self._refuse_lost_body(request, length)
        if "\0" in request.path_info:
            raise Invalid({"path": ["Null characters are not allowed."]})
        query = request.META.get("QUERY_STRING", "")
        if "%00" in query or "\0" in query:
            raise Invalid({"query": ["Null characters are not allowed."]})

    @staticmethod
    def _refuse_lost_body(request: HttpRequest, length: str) -> None:
        """A connection that breaks leaves a shorter body, or none: of a call whose body is
        optional that would be another call (cancel all seats instead of one). What is left of a
        JSON object is never one, so that only nothing at all must be told from a cut one here;
        to ask for the whole length costs no more.
        """
        if not request.path_info.startswith(API_PREFIX):
            return
        is_short = length.isdigit() and int(length) > 0 and len(request.body) < int(length)
        if is_short or request.META.get(BODY_LOST):
            raise Invalid({"body": ["It broke off on its way. Send it again."]})
