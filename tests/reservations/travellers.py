"""What travellers do in the machine, and what the model says they must be told."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from reservations.bookings.insert import NewBooking, Verdict, insert_booking
from reservations.models import Booking
from reservations.services import confirm_booking as crossing
from reservations.services.cancel_booking import cancel_booking
from reservations.services.choose_seats import SeatWish
from reservations.services.confirm_booking import confirm_booking
from reservations.services.extend_hold import extend_hold
from reservations.services.hold_seats import Owner, RequestKey, claim_hold_id, hold_seats
from reservations.services.hold_view import HoldView
from reservations.services.list_holds import list_holds
from reservations.services.release_hold import release_hold
from tests.reservations.machine import LEGS, SEATS, Base
from tests.reservations.model import CAP_SECONDS, TTL_SECONDS, Cell, Claim, Told


class Died(Exception):
    """The web process ended here."""


def dies_before_commit(new: NewBooking) -> Verdict:
    raise Died


def dies_after_commit(new: NewBooking) -> Verdict:
    assert insert_booking(new) is Verdict.BOOKED
    raise Died


class Travellers(Base):
    """Lock, extend, release, confirm, cancel, list; some requests come twice, some never end."""

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
        key = data.draw(st.sampled_from(list(self.model.answers)))
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
        hold = data.draw(st.sampled_from(list(everything)))
        return hold, everything[hold]

    def has_holds(self) -> bool:
        return bool(self.model.everything)

    def has_live_holds(self) -> bool:
        self.model.expire()
        return bool(self.model.held)

    @precondition(has_live_holds)
    @rule(data=st.data())
    def extend_a_live_one(self, data: Any) -> None:
        hold = data.draw(st.sampled_from(list(self.model.held)))
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
            claim.promised = claim.deadline

    @precondition(has_holds)
    @rule(data=st.data())
    def release(self, data: Any) -> None:
        hold, claim = self.any_hold(data)
        said = self.attempt(lambda: release_hold(user=claim.user, sid="none", hold=hold))
        if hold in self.model.members() and claim.pinned:
            assert said == "illegal-state"
            return
        assert said is None
        claim.forgotten = False  # whoever gave it back shall not find it booked
        if hold in self.model.held:
            self.model.end(hold)

    @precondition(has_holds)
    @rule(data=st.data())
    def confirm(self, data: Any) -> None:
        hold, claim = self.any_hold(data)
        said = self.attempt(lambda: confirm_booking(owner=Owner(claim.user, "none"), hold=hold))
        self.judge_confirm(hold, claim, said)

    def judge_confirm(self, hold: str, claim: Claim, said: Any) -> None:
        if hold in self.model.held:
            assert said.is_new
            self.model.book(hold, said.booking.pnr, settled=True)
        elif claim.pnr:
            assert (said.is_new, said.booking.pnr) == (False, claim.pnr)
            self.model.settle(hold)
        else:
            assert said == "hold-expired"

    @precondition(has_holds)
    @rule(data=st.data())
    def confirm_with_the_capability(self, data: Any) -> None:
        self.confirm_by_capability(*self.any_hold(data))

    @precondition(lambda self: any(claim.forgotten for claim in self.model.over.values()))
    @rule(data=st.data())
    def confirm_a_forgotten_one(self, data: Any) -> None:
        forgotten = [hold for hold, claim in self.model.over.items() if claim.forgotten]
        hold = data.draw(st.sampled_from(forgotten))
        self.confirm_by_capability(hold, self.model.over[hold])

    def confirm_by_capability(self, hold: str, claim: Claim) -> None:
        """It speaks only for a hold that Redis forgot, whose seats are free, until its deadline."""
        owner, capability, model = Owner(claim.user, "none"), claim.view.capability, self.model
        said = self.attempt(lambda: confirm_booking(owner=owner, hold=hold, capability=capability))
        if not claim.forgotten or claim.promised <= model.now:
            self.judge_confirm(hold, claim, said)
            return
        if claim.cells & model.taken():
            model.resolve_overdue()
        if claim.cells & model.taken():
            assert said == "hold-expired"
            claim.forgotten = False  # and so it stays
        else:
            assert said.is_new
            model.book_again(hold, said.booking.pnr)

    @precondition(has_live_holds)
    @rule(data=st.data())
    def confirm_dies_before_commit(self, data: Any) -> None:
        hold = data.draw(st.sampled_from(list(self.model.held)))
        self.die(hold, dies_before_commit)
        self.model.pin(hold)

    @precondition(has_live_holds)
    @rule(data=st.data())
    def confirm_dies_after_commit(self, data: Any) -> None:
        hold = data.draw(st.sampled_from(list(self.model.held)))
        self.die(hold, dies_after_commit)
        self.model.pin(hold)
        pnr = Booking.objects.get(hold=hold).pnr
        assert pnr
        self.model.book(hold, pnr, settled=False)

    def die(self, hold: str, how: Callable[[NewBooking], Verdict]) -> None:
        owner = Owner(self.model.held[hold].user, "none")
        with patch.object(crossing, "write_booking", how), pytest.raises(Died):
            confirm_booking(owner=owner, hold=hold)

    @precondition(lambda self: bool(self.model.booked))
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        hold = data.draw(st.sampled_from(list(self.model.booked)))
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
