"""What happens to travellers in the machine: time, sweeps, losses, and messages that come twice."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from config.outbox.consumers import consume_pending
from config.stores.redis import holds_store
from reservations.services.consume_facts import refresh_departures
from reservations.services.expire_holds import expire_holds
from reservations.services.reconcile_images import reconcile_images
from tests.engine import move_scripts_clock
from tests.reservations.machine import Base


class Misfortunes(Base):
    """Nothing here may change an answer but as the model says."""

    @rule(seconds=st.sampled_from([31, 100, 170, 181]))
    def some_time_later(self, seconds: float) -> None:
        self.time_passes(seconds)

    def time_passes(self, seconds: float) -> None:
        self.model.now += seconds
        move_scripts_clock(int(self.model.now * 1000))

    @rule(seconds=st.sampled_from([0, 31, 100]))
    def sweep(self, seconds: float) -> None:
        self.time_passes(seconds)
        expire_holds()
        self.model.resolve_overdue()

    @rule()
    def messages_come_twice(self) -> None:
        consume_pending()
        refresh_departures([self.departure.id])
        self.model.settle_all()

    @rule()
    def reconcile(self) -> None:
        reconcile_images()

    @rule()
    def image_is_lost(self) -> None:
        shard = f"{{{self.departure.id % 64}}}"
        names = [f"{shard}:{what}:{self.departure.id}" for what in ("image", "held", "sold")]
        holds_store().delete(*names)

    @rule()
    def redis_is_flushed(self) -> None:
        holds_store().flushall()
        move_scripts_clock(int(self.model.now * 1000))
        self.model.flush()
