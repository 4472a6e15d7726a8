"""Who may open a socket, judged by the handshake alone: host, origin, address and path.

A browser sends the page's origin with every handshake, whatever page it is, and cookies too; no
same-origin policy keeps a foreign page from listening. So an origin must be of a host that is ours
(ALLOWED_HOSTS) or listed (CORS_ALLOWED_ORIGINS). What is no browser sends none, and may come in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host

from config.http.addresses import client_network

PATH: Final = re.compile(r"/ws/departures/(\d{1,18})/")
Scope = Mapping[str, Any]


class Refused(Exception):
    """No socket: the status and the code of the problem."""

    def __init__(self, status: HTTPStatus, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Wish:
    """What a handshake asks for. `stream` and `seq`: where it was, if it was here before."""

    departure: int
    source: str
    destination: str
    stream: str
    seq: int
    network: str
    token: str


def read_wish(scope: Scope) -> Wish:
    """Judge a handshake. Raises `Refused`."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    match = PATH.fullmatch(scope["path"])
    if match is None:
        raise Refused(HTTPStatus.NOT_FOUND, "not-found")
    if not is_host_ours(headers.get("host", "")):
        raise Refused(HTTPStatus.BAD_REQUEST, "invalid")
    if "origin" in headers and not is_origin_ours(headers["origin"]):
        raise Refused(HTTPStatus.FORBIDDEN, "forbidden")
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), max_num_fields=16))
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return Wish(
        departure=int(match[1]),
        source=query.get("source", "")[:40],
        destination=query.get("destination", "")[:40],
        stream=query.get("stream", ""),
        seq=_whole(query.get("seq", "")),
        network=network_of(scope, headers),
        token=token.strip() if scheme.lower() == "bearer" else "",
    )


def is_host_ours(host: str) -> bool:
    name, _ = split_domain_port(host)
    return bool(name) and validate_host(name, settings.ALLOWED_HOSTS)


def is_origin_ours(origin: str) -> bool:
    """Whether a page from there may listen; `null`, the origin of sandboxes and files, may not."""
    if origin in settings.CORS_ALLOWED_ORIGINS:
        return True
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and is_host_ours(parts.netloc)


def network_of(scope: Scope, headers: Mapping[str, str]) -> str:
    """What limits count by, behind as many proxies as are trusted; as for the API."""
    request = HttpRequest()
    client = scope.get("client")
    request.META = {
        "REMOTE_ADDR": client[0] if client else "",
        "HTTP_X_FORWARDED_FOR": headers.get("x-forwarded-for", ""),
    }
    return client_network(request)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0
