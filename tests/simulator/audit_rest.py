"""At rest: faults are over, time has passed, sweeps and consumers ran. Now all must be settled."""

from typing import Any

from django.db import connections

from analytics.shipping.hold_facts import HOLD_FACTS
from analytics.shipping.outbox import OUTBOX
from analytics.shipping.shipper import ship_batch
from config.outbox.models import OutboxEvent
from reservations import tasks
from reservations.holds import store
from reservations.services.refresh_image import load_image
from tests.simulator.audit_redis import RedisAudit
from tests.simulator.audit_rows import RowsAudit
from tests.simulator.broken import must
from tests.simulator.clocks import SECOND, Clocks
from tests.simulator.memory_loss import Losses
from tests.simulator.mongo_sink import Sink
from tests.simulator.world import LEGS, World

# Later than any hold, pin or clock that was set back.
REST_SECONDS = 20_000


def come_to_rest(clocks: Clocks) -> None:
    """Let time pass, and every task do what it has to."""
    clocks.true += REST_SECONDS * SECOND
    for _ in range(3):
        tasks.sweep_holds()
        tasks.consume_outbox()
        tasks.reconcile_departures()
    for source in (OUTBOX, HOLD_FACTS):
        while ship_batch(source)[0]:
            pass


class RestAudit:
    """Everything is free or sold, and every fact is one document."""

    def __init__(
        self, world: World, redis: RedisAudit, rows: RowsAudit, losses: Losses, sink: Sink
    ) -> None:
        self._world = world
        self._redis = redis
        self._rows = rows
        self._losses = losses
        self._sink = sink

    def check(self) -> None:
        self._rows.check()
        for departure in self._world.departures:
            self._check_settled(departure)
        must(not store.departures_with_holds(), "liveness", "the sweep's index is not empty")
        for departure in self._world.departures:
            owed = list(self._redis.zset(departure, "unburied"))
            must(not owed, "P10", f"released and never buried: {owed}")
        self._check_facts()
        if not self._losses.lost_memory:
            self._check_stories()

    def _check_settled(self, departure: int) -> None:
        for what in ("live", "confirming"):
            left = list(self._redis.zset(departure, what))
            must(not left, "liveness", f"{what} of {departure} is not empty: {left}")
        load_image(departure=departure)
        held, sold = self._redis.bits(departure, "held"), self._redis.bits(departure, "sold")
        expected = self._blocked(departure)
        for mask in self._redis.sold_rows[departure].values():
            expected |= mask
        must(held == 0, "liveness", f"held bits of {departure} remain: {held:x}")
        must(sold == expected, "rule 7", f"sold bits of {departure}: {sold:x}, not {expected:x}")

    def _blocked(self, departure: int) -> int:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT seat_id FROM reservations_seatblock WHERE departure_id = %s", [departure]
            )
            ordinals = tuple(self._world.ordinals[seat] for (seat,) in cursor.fetchall())
        return World.mask(ordinals, 0, LEGS)

    def _check_facts(self) -> None:
        """P8: one document a fact, none invented; what Redis lost unshipped is excused."""
        waiting = OutboxEvent.objects.filter(shipped_at=None).count()
        must(waiting == 0, "P8", f"{waiting} facts are still in the outbox")
        happened = dict(self._redis.facts)
        documents = self._sink.documents
        missing = happened.keys() - documents.keys() - self._losses.lost_facts
        must(not missing, "P8", f"no document for {sorted(missing)}")
        for name, document in documents.items():
            if document["kind"].startswith("hold."):
                must(name in happened, "P8", f"invented: {name}")
                fact: Any = happened[name]
                told = (document["kind"], document["stage"], document["number"])
                wanted = (fact["kind"], int(fact["stage"]), int(fact["number"]))
                must(told == wanted, "P8", f"{name} is {told}, it was {wanted}")
        for hold, row in self._rows.rows.items():
            booked = f"{hold}:confirmed" in documents
            must(booked == (row.status != "void"), "P8", f"{hold} is {row.status}: {booked}")
            cancelled = f"{row.pnr}:cancelled" in documents
            must(cancelled == (row.status == "cancelled"), "P8", f"{row.pnr}: {cancelled}")

    def _check_stories(self) -> None:
        """Each hold ends once, in one way; its extensions are numbered one by one."""
        facts = self._redis.facts
        for hold in self._redis.members:
            must(f"{hold}:held" in facts, "P8", f"{hold} was taken without a fact")
            row = self._rows.rows.get(hold)
            ends = [end for end in ("released", "expired") if f"{hold}:{end}" in facts]
            if row is not None and row.status != "void":
                ends.append("confirmed")
            past_redis = row is not None and row.is_past_redis
            must(len(ends) == 1 or (past_redis and ends), "states", f"{hold} ended as {ends}")
            numbers = [
                int(fact["number"])
                for fact in facts.values()
                if fact["hold"] == hold and fact["kind"] == "hold.extended"
            ]
            must(numbers == [*range(1, len(numbers) + 1)], "P8", f"{hold} extended {numbers}")
