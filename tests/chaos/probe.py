"""Does the sale go on, and do its facts arrive? Asked again and again until the answer is yes."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pymongo
from pymongo.errors import PyMongoError
from redis import Redis, RedisError

from config.stores import keys
from tests.chaos.plant import Plant
from tests.chaos.travelling import Stage

RECOVER_SECONDS = 120.0
ASK_EVERY_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """Seconds from the end of the fault to the first booking, and to its document in MongoDB."""

    sale_seconds: float | None
    trail_seconds: float | None


class Probe:
    """A traveller of its own, and eyes on the three stores."""

    def __init__(self, plant: Plant, token: str) -> None:
        self._plant = plant
        self._token = token

    def recover(self, stage: Stage, since: float) -> Recovered:
        """Book a seat, then find the booking in the audit trail."""
        hold = _until(lambda: self._book(stage))
        sold_at = time.monotonic()
        if hold is None:
            return Recovered(sale_seconds=None, trail_seconds=None)
        found = _until(lambda: self._is_document(f"{hold}:confirmed"))
        return Recovered(
            sale_seconds=sold_at - since,
            trail_seconds=time.monotonic() - since if found else None,
        )

    def _book(self, stage: Stage) -> str | None:
        """The hold of a new booking that was cancelled again, or None if anything failed."""
        headers = {"Authorization": f"Bearer {self._token}"}
        transport = stage.recorder.transport("probe")
        with (
            suppress(httpx.TransportError),
            httpx.Client(
                base_url=f"{stage.url}/api/v1", headers=headers, timeout=3, transport=transport
            ) as http,
        ):
            for departure in stage.departures:
                body = {
                    "departure": departure, "source": stage.stops[0],
                    "destination": stage.stops[1], "count": 1,
                }  # fmt: skip
                held = http.post("/reservations/lock/", json=body)
                if held.status_code != 201:
                    continue
                hold: str = held.json()["hold"]
                booked = http.post("/reservations/confirm/", json={"hold": hold})
                if booked.status_code != 201:
                    return None
                http.post(f"/reservations/bookings/{booked.json()['pnr']}/cancel/", json={})
                return hold
        return None

    def _is_document(self, identity: str) -> bool:
        with suppress(PyMongoError), self._mongo() as client:
            return client.seatlock.facts.find_one({"_id": identity}) is not None
        return False

    def is_shipping(self) -> bool:
        """Whether a worker is in the middle of a batch: it has the lease."""
        with suppress(RedisError):
            return bool(self._redis().exists(keys.SHIPPER_LEASE))
        return False

    def is_caught_up(self) -> bool:
        """Nothing waits any more: no fact, no hold, no pin."""
        with suppress(RedisError, psycopg.Error):
            store = self._redis()
            for shard in range(keys.SHARDS):
                if store.xlen(keys.audit(shard)) or store.zcard(keys.due(shard)):
                    return False
            with psycopg.connect(self._plant.environment["DATABASE_URL"]) as database:
                row = database.execute(
                    "SELECT count(*) FROM outbox_outboxevent"
                    " WHERE shipped_at IS NULL OR consumed_at IS NULL"
                ).fetchone()
            return row == (0,)
        return False

    def gaps(self) -> list[dict[str, Any]]:
        """The losses of memory that were noticed, the first one first."""
        with self._mongo() as client:
            return list(client.seatlock.gaps.find().sort("noticed_at"))

    def documents(self) -> dict[str, str]:
        """The kind of each fact in MongoDB, by its name."""
        with self._mongo() as client:
            return {
                each["_id"]: each["kind"] for each in client.seatlock.facts.find({}, {"kind": 1})
            }

    def bookings(self) -> dict[str, tuple[str, str]]:
        """Hold and status of every booking, by PNR."""
        with psycopg.connect(self._plant.environment["DATABASE_URL"]) as database:
            rows = database.execute(
                "SELECT pnr, hold, status FROM reservations_booking WHERE pnr IS NOT NULL"
            ).fetchall()
        return {pnr: (hold, status) for pnr, hold, status in rows}

    def _redis(self) -> "Redis":
        return Redis.from_url(self._plant.environment["REDIS_URL"], socket_timeout=2)

    def _mongo(self) -> "pymongo.MongoClient[dict[str, Any]]":
        return pymongo.MongoClient(
            self._plant.environment["MONGO_URL"], serverSelectionTimeoutMS=2000, tz_aware=True
        )


def _until(ask: Callable[[], Any], seconds: float = RECOVER_SECONDS) -> Any:
    """The first answer that is not empty, or None when there was none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(ASK_EVERY_SECONDS)
    return None


def await_rest(probe: Probe, seconds: float = RECOVER_SECONDS) -> bool:
    """Wait until everything has caught up; the load must have ended."""
    return bool(_until(probe.is_caught_up, seconds))
