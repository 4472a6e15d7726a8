"""A way to Redis on which one try is lost, and arrives when a test says so."""

from typing import Any

import pytest
import redis

from config.stores import lines


class LossyWay:
    """The next call of a script is lost with its connection; the engine makes it once more.

    `arrive` hands the lost one to the server, as a network may that delivers late.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._lost: Any = None
        really = lines._exchange

        def exchange(connection: Any, packed: Any, number: int) -> Any:
            if self._lost is None:
                self._lost = lambda: really(connection, packed, number)
                raise redis.ConnectionError("lost on its way")
            return really(connection, packed, number)

        monkeypatch.setattr(lines, "_exchange", exchange)

    def arrive(self) -> None:
        assert self._lost is not None, "nothing was lost"
        self._lost()
