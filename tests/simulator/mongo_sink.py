"""Where shipped facts go: documents by id, insert only, with faults at the door.

A stand-in for MongoDB that knows one thing: an id that is there stays as it is.
"""

from collections.abc import Sequence
from typing import Any

from pymongo.errors import AutoReconnect

from analytics.shipping.sink import Rejected
from tests.simulator.crossing import Crossing


class Sink:
    """All documents, by id."""

    def __init__(self, crossing: Crossing) -> None:
        self._crossing = crossing
        self.documents: dict[str, dict[str, Any]] = {}

    def insert_new(self, collection: str, documents: Sequence[dict[str, Any]]) -> list[Rejected]:
        """In place of `analytics.shipping.sink.insert_new`."""
        del collection
        if not documents:
            return []

        def act() -> int:
            for document in documents:
                self.documents.setdefault(document["_id"], document)
            return len(documents)

        self._crossing.cross(
            "mongo", f"insert {len(documents)}", act, lost=AutoReconnect, late=lambda: act
        )
        return []


def refuse_to_bury(source: str, letters: Sequence[Any]) -> None:
    """In place of `dead_letters.bury`: nothing of this simulation is unreadable."""
    raise AssertionError(f"{source} has dead letters: {letters}")
