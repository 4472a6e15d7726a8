"""What clients were told: same key, same answer; what was promised is true at the end."""

from dataclasses import dataclass, field
from typing import Any

from tests.history.events import moment
from tests.simulator.audit_redis import RedisAudit
from tests.simulator.audit_rows import RowsAudit
from tests.simulator.broken import must
from tests.simulator.memory_loss import Losses


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request. `subject`: the hold or PNR it is about. `is_foreign`: it is not the caller's."""

    user: int
    verb: str
    method: str
    path: str
    body: dict[str, Any] | None = None
    key: str | None = None
    subject: str = ""
    seats: int = 0
    is_foreign: bool = False


@dataclass(frozen=True)
class Reply:
    """What came back; `status` 0: nothing did, the outcome is unknown."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return str(self.body.get("code", ""))


class AnswersAudit:
    """Judges each answer, and remembers what must be true of it at the end."""

    def __init__(self, redis: RedisAudit, rows: RowsAudit, losses: Losses) -> None:
        self._losses = losses
        self._redis = redis
        self._rows = rows
        self._by_key: dict[tuple[int, str], tuple[str, int, dict[str, Any]]] = {}
        self.booked: dict[str, str] = {}
        self.cancelled: set[str] = set()
        self.counted: dict[str, int] = {}

    def memory_is_lost(self) -> None:
        """Keys of locks live beside the holds and are lost with them (rule 9)."""
        self._by_key = {name: kept for name, kept in self._by_key.items() if kept[0] != "lock"}

    def judge(self, ask: Ask, reply: Reply) -> None:
        name = f"{ask.verb} {reply.status}"
        self.counted[name] = self.counted.get(name, 0) + 1
        must(reply.status != 500, "no 500", f"{ask} got {reply}")
        understood = "Idempotency-Key" not in reply.body.get("errors", {})
        must(understood, "P5", f"the simulation's key was refused: {ask} got {reply}")
        if ask.is_foreign:
            kept_off = reply.status in {0, 404, 503}
            must(kept_off, "P6", f"{ask} got {reply}")
            return
        if ask.key is not None and reply.status not in {0, 401, 503} and not in_flight(reply):
            self._judge_key(ask, reply)
        judge = getattr(self, f"_{ask.verb}", None)
        if judge is not None:
            judge(ask, reply)

    def _judge_key(self, ask: Ask, reply: Reply) -> None:
        """P5: the first answer is the answer (what decided nothing is not kept)."""
        if reply.status in {400, 404}:
            return
        said = (ask.verb, reply.status, reply.body)
        first = self._by_key.setdefault((ask.user, ask.key or ""), said)
        must(said == first, "P5", f"{ask} got {said}, before it was {first}")

    def _lock(self, ask: Ask, reply: Reply) -> None:
        if reply.status == 201:
            must(len(reply.body["seats"]) == ask.seats, "P3", f"{ask} got {reply}")
            must(reply.body["hold"] in self._redis.members, "P5", f"{reply} was never held")

    def _show(self, ask: Ask, reply: Reply) -> None:
        if reply.status == 200 and reply.body["status"] == "held":
            # As moments: a whole second is written without a fraction, which sorts behind them.
            alive = moment(reply.body["expires_at"]) > moment(reply.body["server_time"])
            must(alive, "P7", f"{ask} showed a hold that is over: {reply}")

    def _confirm(self, ask: Ask, reply: Reply) -> None:
        if reply.status in {200, 201}:
            hold, pnr = reply.body["hold"], reply.body["pnr"]
            must(hold == ask.subject, "P5", f"{ask} got {reply}")
            known = self.booked.setdefault(hold, pnr)
            must(known == pnr, "P5", f"{hold} was {known}, now it is {pnr}")
        elif reply.status == 410:
            booked = self._rows.rows.get(ask.subject)
            is_live = booked is not None and booked.status != "void"
            excused = self._losses.lost_memory  # its twin had the capability
            must(not is_live or excused, "P5", f"{ask} got 410, but it is booked: {booked}")
            self._rows.told_over.add(ask.subject)
            if ask.body and "capability" in ask.body:
                self._rows.told_final.add(ask.subject)
        elif reply.code == "seat-already-booked":
            self._rows.told_final.add(ask.subject)

    def _release(self, ask: Ask, reply: Reply) -> None:
        row = self._rows.rows.get(ask.subject)
        if reply.status == 204 and (row is None or row.status == "void"):
            self._rows.told_final.add(ask.subject)

    def _cancel(self, ask: Ask, reply: Reply) -> None:
        if reply.status == 200:
            self.cancelled.add(ask.subject)

    def judge_the_end(self) -> None:
        """Every success a client saw is a row."""
        by_pnr = {row.pnr: row for row in self._rows.rows.values()}
        for hold, pnr in self.booked.items():
            row = self._rows.rows.get(hold)
            must(row is not None, "P4", f"{hold} was told booked as {pnr}, there is no row")
            assert row is not None
            must(row.pnr == pnr, "P5", f"{hold} was told {pnr}, the row has {row.pnr}")
        for pnr in self.cancelled:
            row = by_pnr.get(pnr)
            must(row and row.status == "cancelled", "P4", f"{pnr} was told cancelled: {row}")


def in_flight(reply: Reply) -> bool:
    return reply.code == "idempotency-in-flight"
