"""The engine's own services, driven by Hypothesis beside the model, answer by answer.

Time passes by the scripts' movable clock, confirms die before and after COMMIT, the image is lost,
Redis is flushed, messages and requests come twice. The train has 40 legs, so that a seat takes two
words of the image.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from config.errors import SeatlockError
from config.stores.redis import holds_store
from reservations.availability.plans import forget_all, plan_of
from reservations.availability.words import words_of
from reservations.holds import store
from reservations.services.choose_seats import SeatWish
from reservations.services.hold_view import HoldView
from reservations.services.refresh_image import load_image
from tests.availability import railway
from tests.engine import move_scripts_clock
from tests.reservations.model import TTL_SECONDS, Cell, Claim, Ledger
from trains.models import Train

SEATS = 6
LEGS = 40


class Base(RuleBasedStateMachine):
    """One departure in Redis, PostgreSQL and the model; what must always be true of the three."""

    train: Train
    users: tuple[int, ...]
    chance: np.random.Generator
    """Breaks the ranking's ties; the same in each life, so that a life can be lived again."""
    days = 0

    @initialize()
    def begin(self) -> None:
        holds_store().flushall()
        forget_all()
        move_scripts_clock(0)
        self.departure = railway.departure(self.train, days_ahead=2 + self.next_day())
        self.model = Ledger()
        self.chance.bit_generator.state = np.random.PCG64(0).state

    @classmethod
    def next_day(cls) -> int:
        """A departure of its own for each run of the machine."""
        cls.days += 1
        return cls.days

    def attempt(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except SeatlockError as refused:
            return refused.code

    def cells(self, seats: set[int], stretch: tuple[int, int]) -> frozenset[Cell]:
        return frozenset((seat, leg) for seat in seats for leg in range(*stretch))

    def wish(self, stretch: tuple[int, int], **what: Any) -> SeatWish:
        source, destination = (f"S{stop:02}" for stop in stretch)
        return SeatWish(departure=self.departure.id, source=source, destination=destination, **what)

    def named(self, seats: set[int], stretch: tuple[int, int]) -> SeatWish:
        return self.wish(stretch, seats=tuple(f"A1-{seat + 1}" for seat in sorted(seats)))

    def keep(self, user: int, view: HoldView, stretch: tuple[int, int]) -> None:
        model = self.model
        seats = {int(label.removeprefix("A1-")) - 1 for label in view.seats}
        cells = self.cells(seats, stretch)
        assert not cells & model.taken(), "the engine gave a taken seat"
        deadline = model.now + TTL_SECONDS
        model.held[view.hold] = Claim(view, user, cells, model.now, deadline, promised=deadline)

    # What must always be true

    @invariant()
    def the_image_has_exactly_the_bits_of_holds_and_bookings(self) -> None:
        if not hasattr(self, "departure"):
            return
        members = self.model.members()
        load_image(departure=self.departure.id)
        (image,) = store.read_images([self.departure.id], members=True)
        assert {member.hold for member in image.members} == members
        everything = self.model.everything
        held = self.bits({h: everything[h] for h in members})
        sold = self.bits(self.model.booked)
        settled = self.bits({h: c for h, c in self.model.booked.items() if not c.unsettled})
        plan = plan_of(self.departure.id)
        assert np.array_equal(words_of(image.held, plan.train), held), "held"
        found = words_of(image.sold, plan.train)
        assert np.array_equal(found & sold, found), "sold bits of nobody"
        assert np.array_equal(found & settled, settled), "sold bits are missing"

    def bits(self, claims: dict[str, Claim]) -> Any:
        words = np.zeros((SEATS, plan_of(self.departure.id).train.words), dtype="<u4")
        for claim in claims.values():
            for seat, leg in claim.cells:
                words[seat, leg // 32] |= np.uint32(1 << (leg % 32))
        return words
