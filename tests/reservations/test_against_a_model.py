"""The engine against a model of seat-legs in plain Python, step by step, in random order.

The model predicts every answer; after each step the seat image must have exactly the bits of the
live holds and bookings. Time passes by the scripts' movable clock, the image is lost, Redis is
flushed, messages come twice. The train has 40 legs, so that a seat takes two words of the image.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from config.errors import SeatlockError
from config.outbox.consumers import consume_pending
from config.stores.redis import holds_store
from reservations.availability.plans import forget_all, plan_of
from reservations.availability.words import words_of
from reservations.holds import store
from reservations.services.cancel_booking import cancel_booking
from reservations.services.choose_seats import SeatWish
from reservations.services.confirm_booking import confirm_booking
from reservations.services.consume_facts import refresh_departures
from reservations.services.expire_holds import expire_holds
from reservations.services.extend_hold import extend_hold
from reservations.services.hold_seats import Owner, hold_seats
from reservations.services.hold_view import HoldView
from reservations.services.refresh_image import load_image
from reservations.services.release_hold import release_hold
from tests.availability import railway
from tests.engine import move_scripts_clock
from tests.promises.guards import scripts_without
from trains.models import Train
from users.models import User

SEATS = 6
LEGS = 40
TTL_SECONDS, CAP_SECONDS, HOLDS_PER_USER = 180, 600, 3

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(280)]


@dataclass
class Claim:
    """A hold or a booking as the model has it. `deadline` in model seconds; None: booked."""

    view: HoldView
    user: int
    cells: frozenset[tuple[int, int]]
    taken_at: float
    deadline: float | None
    pnr: str = ""


class Engine(RuleBasedStateMachine):
    """Lock, extend, release, confirm, cancel; time, sweeps, losses and repeats in between."""

    train: Train
    users: tuple[int, ...]
    days = 0

    @initialize()
    def begin(self) -> None:
        holds_store().flushall()
        forget_all()
        move_scripts_clock(0)
        self.departure = railway.departure(self.train, days_ahead=2 + self.next_day())
        self.now = 0.0
        self.held: dict[str, Claim] = {}
        self.booked: dict[str, Claim] = {}
        self.over: dict[str, Claim] = {}

    @classmethod
    def next_day(cls) -> int:
        """A departure of its own for each run of the machine."""
        cls.days += 1
        return cls.days

    # What the model knows

    def live(self) -> list[Claim]:
        for hold, claim in list(self.held.items()):
            if claim.deadline is not None and claim.deadline <= self.now:
                self.over[hold] = self.held.pop(hold)
        return [*self.held.values(), *self.booked.values()]

    def taken(self) -> set[tuple[int, int]]:
        return {cell for claim in self.live() for cell in claim.cells}

    def cells(self, seats: set[int], stretch: tuple[int, int]) -> frozenset[tuple[int, int]]:
        return frozenset((seat, leg) for seat in seats for leg in range(*stretch))

    def attempt(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except SeatlockError as refused:
            return refused.code

    def wish(self, stretch: tuple[int, int], **what: Any) -> SeatWish:
        source, destination = (f"S{stop:02}" for stop in stretch)
        return SeatWish(departure=self.departure.id, source=source, destination=destination, **what)

    def keep(self, user: int, view: HoldView, stretch: tuple[int, int]) -> None:
        seats = {int(label.removeprefix("A1-")) - 1 for label in view.seats}
        cells = self.cells(seats, stretch)
        assert not cells & self.taken(), "the engine gave a taken seat"
        self.held[view.hold] = Claim(view, user, cells, self.now, self.now + TTL_SECONDS)

    def at_limit(self, user: int) -> bool:
        self.live()
        return sum(claim.user == user for claim in self.held.values()) >= HOLDS_PER_USER

    # What travellers do

    stretches = st.tuples(st.integers(0, LEGS), st.integers(0, LEGS)).filter(lambda s: s[0] < s[1])
    people = st.integers(0, 2)

    @rule(who=people, seats=st.sets(st.integers(0, SEATS - 1), min_size=1, max_size=3), s=stretches)
    def lock_named(self, who: int, seats: set[int], s: tuple[int, int]) -> None:
        user = self.users[who]
        labels = tuple(f"A1-{seat + 1}" for seat in sorted(seats))
        expected = None
        if self.at_limit(user):
            expected = "limit-reached"
        elif self.cells(seats, s) & self.taken():
            expected = "seat-unavailable"
        said = self.attempt(
            lambda: hold_seats(owner=Owner(user, "none"), wish=self.wish(s, seats=labels))
        )
        if expected is not None:
            assert said == expected
            return
        assert isinstance(said, HoldView), said
        assert said.seats == labels
        self.keep(user, said, s)

    @rule(who=people, count=st.integers(1, 3), s=stretches)
    def lock_best(self, who: int, count: int, s: tuple[int, int]) -> None:
        user = self.users[who]
        taken = self.taken()
        free = sum(not self.cells({seat}, s) & taken for seat in range(SEATS))
        said = self.attempt(
            lambda: hold_seats(owner=Owner(user, "none"), wish=self.wish(s, count=count))
        )
        if free < count:
            assert said == "not-enough-seats"
        elif self.at_limit(user):
            assert said == "limit-reached"
        else:
            assert isinstance(said, HoldView), said
            assert len(said.seats) == count
            self.keep(user, said, s)

    def any_hold(self, data: Any) -> tuple[str, Claim]:
        self.live()
        everything = {**self.held, **self.over, **self.booked}
        hold = data.draw(st.sampled_from(sorted(everything)))
        return hold, everything[hold]

    def has_holds(self) -> bool:
        return bool(self.held or self.over or self.booked)

    @precondition(lambda self: bool(self.live() and self.held))
    @rule(data=st.data())
    def extend_a_live_one(self, data: Any) -> None:
        hold = data.draw(st.sampled_from(sorted(self.held)))
        self.extend(hold, self.held[hold])

    @precondition(has_holds)
    @rule(data=st.data())
    def extend_any(self, data: Any) -> None:
        self.extend(*self.any_hold(data))

    def extend(self, hold: str, claim: Claim) -> None:
        said = self.attempt(lambda: extend_hold(user=claim.user, sid="none", hold=hold))
        if hold not in self.held:
            assert said == "hold-expired"
        elif claim.deadline == claim.taken_at + CAP_SECONDS:
            assert said == "limit-reached"
        else:
            assert isinstance(said, HoldView), said
            claim.deadline = min(self.now + TTL_SECONDS, claim.taken_at + CAP_SECONDS)

    @precondition(has_holds)
    @rule(data=st.data())
    def release(self, data: Any) -> None:
        hold, claim = self.any_hold(data)
        assert self.attempt(lambda: release_hold(user=claim.user, sid="none", hold=hold)) is None
        if hold in self.held:
            self.over[hold] = self.held.pop(hold)

    @precondition(has_holds)
    @rule(data=st.data())
    def confirm(self, data: Any) -> None:
        hold, claim = self.any_hold(data)
        said = self.attempt(lambda: confirm_booking(owner=Owner(claim.user, "none"), hold=hold))
        if hold in self.held:
            assert said.is_new
            claim.deadline, claim.pnr = None, said.booking.pnr
            self.booked[hold] = self.held.pop(hold)
        elif claim.pnr:
            assert (said.is_new, said.booking.pnr) == (False, claim.pnr)
        else:
            assert said == "hold-expired"

    @precondition(lambda self: bool(self.booked))
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        hold = data.draw(st.sampled_from(sorted(self.booked)))
        claim = self.booked.pop(hold)
        cancel_booking(actor=claim.user, as_staff=False, pnr=claim.pnr)
        self.over[hold] = claim

    @precondition(lambda self: any(claim.pnr for claim in self.over.values()))
    @rule(data=st.data())
    def cancel_again(self, data: Any) -> None:
        gone = [claim for claim in self.over.values() if claim.pnr]
        claim = data.draw(st.sampled_from(gone))
        again = lambda: cancel_booking(actor=claim.user, as_staff=False, pnr=claim.pnr)  # noqa: E731
        assert self.attempt(again) == "illegal-state"

    # What happens to them

    @rule(seconds=st.sampled_from([30, 100, 170, 181]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        move_scripts_clock(int(self.now * 1000))

    @rule()
    def sweep(self) -> None:
        expire_holds()

    @rule()
    def messages_come_twice(self) -> None:
        consume_pending()
        refresh_departures([self.departure.id])

    @rule()
    def image_is_lost(self) -> None:
        shard = f"{{{self.departure.id % 64}}}"
        names = [f"{shard}:{what}:{self.departure.id}" for what in ("image", "held", "sold")]
        holds_store().delete(*names)

    @rule()
    def redis_is_flushed(self) -> None:
        self.live()
        holds_store().flushall()
        move_scripts_clock(int(self.now * 1000))
        self.over.update(self.held)
        self.held = {}

    # What must always be true

    @invariant()
    def the_image_has_exactly_the_bits_of_holds_and_bookings(self) -> None:
        if not hasattr(self, "departure"):
            return
        self.live()
        load_image(departure=self.departure.id)
        (image,) = store.read_images([self.departure.id], members=True)
        plan = plan_of(self.departure.id)
        for what, claims in (("held", self.held), ("sold", self.booked)):
            expected = np.zeros((SEATS, plan.train.words), dtype=np.uint32)
            for claim in claims.values():
                for seat, leg in claim.cells:
                    expected[seat, leg // 32] |= np.uint32(1 << (leg % 32))
            found = words_of(getattr(image, what), plan.train)
            assert np.array_equal(found, expected), what
        assert {member.hold for member in image.members} == set(self.held)


@pytest.fixture
def railway_of_the_model(time_passes: object, empty_redis: None, db: None) -> None:
    """`time_passes` puts the movable clock into the scripts."""
    stops = tuple(f"S{stop:02}" for stop in range(LEGS + 1))
    Engine.train = railway.train(stops=stops, coaches=(("A1", "SL", SEATS),), leg_seconds=600)
    Engine.users = tuple(
        User.objects.create_user(f"model{n}", f"model{n}@example.org").pk for n in range(3)
    )


def live(*, examples: int, **others: Any) -> None:
    run_state_machine_as_test(
        Engine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            **others,
        ),
    )


def test_the_engine_answers_as_the_model_does(railway_of_the_model: None) -> None:
    live(examples=60)


@pytest.mark.parametrize(
    "guard",
    [
        ("  return taken\nend", "  return false\nend"),
        ("if words then clear_bits(HELD, parsed) end", ""),
        ("if parsed then set_bits(HELD, parsed) end", ""),
        ("if words and set_bits(SOLD, parsed) then", "if false then"),
        ("bit.bor(bit.band(word, bit.bnot(clear)), set)", "bit.bor(word, set)"),
        ("for word = math.floor(from / 32), math.floor((to - 1) / 32) do",
         "for word = 0, 0 do"),
        ("'-inf', whole(now_ms), 'LIMIT', 0, REAP_BOUND + 1", "'-inf', 0, 'LIMIT', 0, 1"),
    ],
    ids=["overlap", "held-cleared", "members-rebuilt", "settled", "sold-cleared", "second-word",
         "reap"],
)  # fmt: skip
def test_the_model_notices_when_a_guard_is_missing(
    railway_of_the_model: None, guard: tuple[str, str]
) -> None:
    with scripts_without(*guard), pytest.raises(Exception):  # noqa: B017, PT011
        live(examples=60, phases=[Phase.generate], derandomize=True, print_blob=False)
