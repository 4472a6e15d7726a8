"""Where a store is, as a URL: read by the library that will use it, so that a wrong one is refused
at the start, and one with several hosts or a Unix socket is not.
"""

from collections.abc import Callable
from typing import Any

import redis
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri
from redis.connection import parse_url

POSTGRES = frozenset({"postgres", "postgresql"})
REDIS = frozenset({"redis", "rediss", "unix"})
# Celery has a name of its own for a socket of Unix, which redis-py does not know.
BROKER = frozenset({"redis", "rediss", "redis+socket"})
MONGO = frozenset({"mongodb", "mongodb+srv"})


def checked(value: str, schemes: frozenset[str]) -> str:
    """The URL itself. Raises `ValueError` if it is not one of these schemes, or not well made."""
    scheme, mark, _ = value.partition("://")
    if not mark or scheme not in schemes:
        raise ValueError(f"must be a URL with scheme {' or '.join(sorted(schemes))}")
    reader = _READERS.get(scheme)
    if reader is not None:
        try:
            reader(value)
        except (ValueError, ProgrammingError, PyMongoError):
            # Their own words may have the password in them.
            raise ValueError(f"cannot be read as a {scheme} URL") from None
    return value


def redis_server(url: str) -> str:
    """Which server a Redis URL names, whatever its database number: `host:port`, or a path."""
    if url.startswith("redis+socket://"):
        url = url.replace("redis+socket", "unix", 1)
    where = redis_address(url)
    return where if isinstance(where, str) else f"{where[0]}:{where[1]}"


def redis_address(url: str) -> tuple[str, int] | str:
    """Host and port, or the path of a Unix socket."""
    parts = redis_parts(url)
    if parts.get("connection_class") is redis.UnixDomainSocketConnection:
        return str(parts.get("path"))
    return parts.get("host", "localhost"), parts.get("port", 6379)


def tools_address(url: str) -> tuple[str, ...]:
    """The same in the words of redis-cli and redis-benchmark."""
    where = redis_address(url)
    return ("-s", where) if isinstance(where, str) else ("-h", where[0], "-p", str(where[1]))


def redis_parts(url: str) -> dict[str, Any]:
    """What redis-py makes of it: `password`, `username`, `db` and more, where they are given."""
    parts: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
    return parts


# `mongodb+srv` is not read here: that asks the name server, which may be away at the start.
_READERS: dict[str, Callable[[str], object]] = {
    **dict.fromkeys(POSTGRES, conninfo_to_dict),
    **dict.fromkeys(REDIS, redis_parts),
    "mongodb": parse_uri,
}
