"""The engine's own services, driven by Hypothesis beside the model, answer by answer.

Time passes by the scripts' movable clock, confirms die before and after COMMIT, the image is lost,
Redis is flushed, messages and requests come twice. The train has 40 legs, so that a seat takes two
words of the image.
"""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from config.errors import SeatlockError
from config.outbox.consumers import consume_pending
from config.stores.redis import holds_store
from reservations.availability.plans import forget_all, plan_of
from reservations.availability.words import words_of
from reservations.bookings.insert import NewBooking, Verdict, insert_booking
from reservations.holds import store
from reservations.models import Booking
from reservations.services import confirm_booking as crossing
from reservations.services.cancel_booking import cancel_booking
from reservations.services.choose_seats import SeatWish
from reservations.services.confirm_booking import confirm_booking
from reservations.services.consume_facts import refresh_departures
from reservations.services.expire_holds import expire_holds
from reservations.services.extend_hold import extend_hold
from reservations.services.hold_seats import Owner, RequestKey, claim_hold_id, hold_seats
from reservations.services.hold_view import HoldView
from reservations.services.list_holds import list_holds
from reservations.services.reconcile_images import reconcile_images
from reservations.services.refresh_image import load_image
from reservations.services.release_hold import release_hold
from tests.availability import railway
from tests.engine import move_scripts_clock
from tests.reservations.model import CAP_SECONDS, TTL_SECONDS, Cell, Claim, Ledger, Told
from trains.models import Train

SEATS = 6
LEGS = 40


class Died(Exception):
    """The web process ended here."""


def dies_before_commit(new: NewBooking) -> Verdict:
    raise Died


def dies_after_commit(new: NewBooking) -> Verdict:
    assert insert_booking(new) is Verdict.BOOKED
    raise Died


class Engine(RuleBasedStateMachine):
    """Lock, extend, release, confirm, cancel; time, sweeps, deaths and repeats in between."""

    train: Train
    users: tuple[int, ...]
    days = 0

    @initialize()
    def begin(self) -> None:
        holds_store().flushall()
        forget_all()
        move_scripts_clock(0)
        self.departure = railway.departure(self.train, days_ahead=2 + self.next_day())
        self.model = Ledger()

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
        model.held[view.hold] = Claim(view, user, cells, model.now, model.now + TTL_SECONDS)

    # What travellers do

    stretches = st.tuples(st.integers(0, LEGS), st.integers(0, LEGS)).filter(lambda s: s[0] < s[1])
    people = st.integers(0, 2)
    some_seats = st.sets(st.integers(0, SEATS - 1), min_size=1, max_size=3)

    def expected_of_named(self, user: int, cells: frozenset[Cell]) -> str | None:
        """The refusal a lock of these seats must meet; a pin that ran out is resolved by it."""
        if self.model.at_limit(user):
            return "limit-reached"
        if cells & self.model.taken():
            self.model.resolve_overdue()
            if self.model.at_limit(user):
                return "limit-reached"
        return "seat-unavailable" if cells & self.model.taken() else None

    @rule(who=people, seats=some_seats, s=stretches)
    def lock_named(self, who: int, seats: set[int], s: tuple[int, int]) -> None:
        user = self.users[who]
        expected = self.expected_of_named(user, self.cells(seats, s))
        wish = self.named(seats, s)
        said = self.attempt(lambda: hold_seats(owner=Owner(user, "none"), wish=wish))
        if expected is not None:
            assert said == expected
            return
        assert isinstance(said, HoldView), said
        assert said.seats == wish.seats
        self.keep(user, said, s)

    @rule(who=people, count=st.integers(1, 3), s=stretches)
    def lock_best(self, who: int, count: int, s: tuple[int, int]) -> None:
        user, model = self.users[who], self.model
        if self.free(s) < count:
            model.resolve_overdue()
        said = self.attempt(
            lambda: hold_seats(owner=Owner(user, "none"), wish=self.wish(s, count=count))
        )
        if self.free(s) < count:
            assert said == "not-enough-seats"
        elif model.at_limit(user):
            assert said == "limit-reached"
        else:
            assert isinstance(said, HoldView), said
            assert len(said.seats) == count
            self.keep(user, said, s)

    def free(self, stretch: tuple[int, int]) -> int:
        taken = self.model.taken()
        return sum(not self.cells({seat}, stretch) & taken for seat in range(SEATS))

    @rule(who=people, seats=some_seats, s=stretches, key=st.sampled_from(["a", "b"]))
    def lock_with_a_key(self, who: int, seats: set[int], s: tuple[int, int], key: str) -> None:
        user, wish = self.users[who], self.named(seats, s)
        key = f"{key}{user}"
        known = self.model.answers.get(key)
        if known is not None:
            self.repeat(key, known, wish)
            return
        expected = self.expected_of_named(user, self.cells(seats, s))
        said = self.keyed(key, user, wish)
        if expected is not None:
            assert said == expected
        else:
            self.keep(user, said, s)
        told = said.hold if isinstance(said, HoldView) else said
        self.model.answers[key] = Told(user, wish, told)

    @precondition(lambda self: bool(self.model.answers))
    @rule(data=st.data())
    def a_lock_comes_twice(self, data: Any) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.answers)))
        told = self.model.answers[key]
        self.repeat(key, told, told.wish)

    def repeat(self, key: str, told: Told, wish: SeatWish) -> None:
        """One effect and one answer, also when the hold is over; another body is refused."""
        said = self.keyed(key, told.user, wish)
        if wish == told.wish:
            assert (said.hold if isinstance(said, HoldView) else said) == told.answer
        else:
            assert said == "idempotency-key-reused"

    def keyed(self, key: str, user: int, wish: SeatWish) -> Any:
        owner, request = Owner(user, "none"), RequestKey(key, repr(wish))

        def act() -> HoldView:
            claimed = claim_hold_id(owner=owner, departure=self.departure.id, key=request)
            return hold_seats(owner=owner, wish=wish, claimed=claimed)

        return self.attempt(act)

    def any_hold(self, data: Any) -> tuple[str, Claim]:
        self.model.expire()
        everything = self.model.everything
        hold = data.draw(st.sampled_from(sorted(everything)))
        return hold, everything[hold]

    def has_holds(self) -> bool:
        return bool(self.model.everything)

    def has_live_holds(self) -> bool:
        self.model.expire()
        return bool(self.model.held)

    @precondition(has_live_holds)
    @rule(data=st.data())
    def extend_a_live_one(self, data: Any) -> None:
        hold = data.draw(st.sampled_from(sorted(self.model.held)))
        self.extend(hold, self.model.held[hold])

    @precondition(has_holds)
    @rule(data=st.data())
    def extend_any(self, data: Any) -> None:
        self.extend(*self.any_hold(data))

    def extend(self, hold: str, claim: Claim) -> None:
        said = self.attempt(lambda: extend_hold(user=claim.user, sid="none", hold=hold))
        if hold in self.model.members() and claim.pinned:
            assert said == "illegal-state"
        elif hold not in self.model.held:
            assert said == "hold-expired"
        elif claim.deadline >= claim.taken_at + CAP_SECONDS:
            assert said == "limit-reached"
        else:
            assert isinstance(said, HoldView), said
            claim.view = said
            claim.deadline = min(self.model.now + TTL_SECONDS, claim.taken_at + CAP_SECONDS)

    @precondition(has_holds)
    @rule(data=st.data())
    def release(self, data: Any) -> None:
        hold, claim = self.any_hold(data)
        said = self.attempt(lambda: release_hold(user=claim.user, sid="none", hold=hold))
        if hold in self.model.members() and claim.pinned:
            assert said == "illegal-state"
            return
        assert said is None
        if hold in self.model.held:
            self.model.end(hold)

    @precondition(has_holds)
    @rule(data=st.data())
    def confirm(self, data: Any) -> None:
        hold, claim = self.any_hold(data)
        said = self.attempt(lambda: confirm_booking(owner=Owner(claim.user, "none"), hold=hold))
        if hold in self.model.held:
            assert said.is_new
            self.model.book(hold, said.booking.pnr, settled=True)
        elif claim.pnr:
            assert (said.is_new, said.booking.pnr) == (False, claim.pnr)
            self.model.settle(hold)
        else:
            assert said == "hold-expired"

    @precondition(has_live_holds)
    @rule(data=st.data())
    def confirm_dies_before_commit(self, data: Any) -> None:
        hold = data.draw(st.sampled_from(sorted(self.model.held)))
        self.die(hold, dies_before_commit)
        self.model.pin(hold)

    @precondition(has_live_holds)
    @rule(data=st.data())
    def confirm_dies_after_commit(self, data: Any) -> None:
        hold = data.draw(st.sampled_from(sorted(self.model.held)))
        self.die(hold, dies_after_commit)
        self.model.pin(hold)
        pnr = Booking.objects.get(hold=hold).pnr
        assert pnr
        self.model.book(hold, pnr, settled=False)

    def die(self, hold: str, how: Callable[[NewBooking], Verdict]) -> None:
        owner = Owner(self.model.held[hold].user, "none")
        with patch.object(crossing, "insert_booking", how), pytest.raises(Died):
            confirm_booking(owner=owner, hold=hold)

    @precondition(lambda self: bool(self.model.booked))
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        hold = data.draw(st.sampled_from(sorted(self.model.booked)))
        claim = self.model.booked.pop(hold)
        cancel_booking(actor=claim.user, as_staff=False, pnr=claim.pnr)
        claim.pinned = claim.unsettled = False
        self.model.over[hold] = claim

    @precondition(lambda self: any(claim.pnr for claim in self.model.over.values()))
    @rule(data=st.data())
    def cancel_again(self, data: Any) -> None:
        gone = [claim for claim in self.model.over.values() if claim.pnr]
        claim = data.draw(st.sampled_from(gone))
        again = lambda: cancel_booking(actor=claim.user, as_staff=False, pnr=claim.pnr)  # noqa: E731
        assert self.attempt(again) == "illegal-state"

    @rule(who=people)
    def list_mine(self, who: int) -> None:
        mine = {view.hold for view in list_holds(user=self.users[who])}
        everything = self.model.everything
        members = self.model.members()
        assert mine == {h for h in members if everything[h].user == self.users[who]}

    # What happens to them

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
