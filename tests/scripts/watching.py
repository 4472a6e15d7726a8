"""Who watches a departure, as the live socket server does."""

from typing import Any

from config.stores import keys
from config.stores.redis import holds_store
from tests.scripts import bench


class Watcher:
    """Hears the channel of the bench's departure."""

    def __init__(self) -> None:
        store: Any = holds_store()  # redis-py's types leave `pubsub` out
        self._heard = store.pubsub()
        self._heard.subscribe(keys.watched(bench.DEPARTURE))
        assert self._heard.get_message(timeout=5)["type"] == "subscribe"

    def moments(self) -> list[int]:
        """What was told since the last call, in ms. A PING of ours comes after it."""
        self._heard.ping()
        told: list[int] = []
        while (message := self._heard.get_message(timeout=5)) is not None:
            if message["type"] == "pong":
                return told
            told.append(int(message["data"]))
        raise AssertionError("no answer to PING")

    def count(self) -> int:
        return len(self.moments())

    def close(self) -> None:
        self._heard.close()
