"""One POST to a partner: bounded in time as a whole, to a checked address, following nothing.

httpcore's time-outs are for one read or write each, so a receiver that sends a byte now and then
would hold us for ever; here everything after the name was resolved shares one deadline. Of the
answer only the head is read.
"""

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import httpcore

from reservations.webhooks.addresses import AddressRefused, find_addresses

AGENT: Final = "Seatlock-Webhooks/1.0"
RETRY_AFTER_MAX_SECONDS: Final = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`status` is None if no answer came; `error` then says why, in a few words."""

    status: int | None = None
    error: str = ""
    duration_ms: int = 0
    retry_after_seconds: int = 0

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """The receiver wants no more of this."""
        return self.status == 410


def post(
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes,
    timeout_seconds: float,
    may_be_private: bool,
) -> Outcome:
    """Send it once. Never raises for what a receiver or a network does."""
    began = time.monotonic()
    backend = _Backend(began + timeout_seconds, may_be_private=may_be_private)
    said = [("User-Agent", AGENT), ("Content-Type", "application/json"), *headers.items()]
    status, error, wait = None, "", 0
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_ssl_context(), network_backend=backend) as pool,
            pool.stream("POST", url, headers=said, content=body) as answer,
        ):
            status, wait = answer.status, _retry_after(answer.headers)
    except (httpcore.TimeoutException, TimeoutError):
        error = f"no answer within {timeout_seconds:g} s"
    except AddressRefused as refused:
        error = str(refused)
    except (
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.UnsupportedProtocol,
        OSError,
        ValueError,
    ) as broken:
        error = f"{type(broken).__name__}: {broken}"[:200]
    duration_ms = int((time.monotonic() - began) * 1000)
    return Outcome(status=status, error=error, duration_ms=duration_ms, retry_after_seconds=wait)


def _retry_after(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Seconds to leave the receiver alone, if it said so in seconds; 0 if not."""
    for name, value in headers:
        if name.lower() == b"retry-after" and value.isdigit():
            return min(int(value[:9]), RETRY_AFTER_MAX_SECONDS)
    return 0


@cache
def _ssl_context() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Backend(httpcore.SyncBackend):
    """Connects to addresses that were checked, with what is left of the time."""

    def __init__(self, deadline: float, *, may_be_private: bool) -> None:
        self._deadline = deadline
        self._may_be_private = may_be_private

    def left(self) -> float:
        """Seconds until the deadline. Raises `ReadTimeout` when there are none."""
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise httpcore.ReadTimeout("the time is up")
        return seconds

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        """To the first of its addresses that takes the connection."""
        numbers = find_addresses(host, port, may_be_private=self._may_be_private)
        for number in numbers[:-1]:
            try:
                return _Stream(super().connect_tcp(number, port, timeout=self.left()), self)
            except httpcore.ConnectError:
                continue
        return _Stream(super().connect_tcp(numbers[-1], port, timeout=self.left()), self)


class _Stream(httpcore.NetworkStream):
    """A stream whose every step ends at the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, backend: _Backend) -> None:
        self._inner = inner
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        return self._inner.read(max_bytes, timeout=self._backend.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        self._inner.write(buffer, timeout=self._backend.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        del timeout
        return _Stream(
            self._inner.start_tls(ssl_context, server_hostname, timeout=self._backend.left()),
            self._backend,
        )

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
