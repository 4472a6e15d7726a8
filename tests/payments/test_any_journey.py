"""Over random journeys of money: what was captured is booked, kept by a rule or back, to the cent,
and each seat-leg has at most one owner.

Time only goes forward, from one journey to the next, and each pays its own orders alone: an order
of a journey before, paid in the "past" of its own questions, would be asked about by nobody.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal

import pytest
from django.db.models import QuerySet, Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import clock
from config.errors import SeatlockError
from config.outbox.consumers import consume_pending
from config.stores.redis import holds_store
from reservations.bookings.views import view_bookings
from reservations.models import BookedSeat, Booking, Cancellation
from reservations.payments import sandbox, tasks
from reservations.payments.gateways.port import GatewayAway
from reservations.payments.models import Payment, SandboxOrder, SandboxRefund
from reservations.payments.services.ask_gateways import (
    ask_gateways,
    compare_day,
    finish_captured,
)
from reservations.payments.services.start_payment import start_payment
from reservations.services.cancel_booking import (
    Override,
    cancel_booking,
    quote_cancellation,
)
from reservations.services.cancel_departure import cancel_departure, cancel_withdrawn
from reservations.services.change_booking import ChangeWish, How, change_booking
from reservations.services.choose_seats import SeatWish
from reservations.services.confirm_booking import confirm_booking
from reservations.services.expire_holds import expire_holds
from reservations.services.hold_seats import Owner, hold_seats
from tests.availability import railway
from tests.engine import move_scripts_clock
from tests.payments.paying import refunds_go_out, send
from trains.fares import CENT
from trains.models import Departure, Train
from users.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(280)]

Time = Callable[[float], AbstractContextManager[None]]
ACTS = st.sampled_from(
    ["buy", "buy", "buy", "lock", "start", "pay", "send", "send", "send again", "confirm", "cancel",
     "cancel seat", "cancel seat", "change", "change", "override", "wait", "wait long", "sweep",
     "finish", "ask", "refund", "outbox", "flush"]
)  # fmt: skip
LONG_SECONDS = 20 * 3600
EXAMPLES = int(os.environ.get("SEATLOCK_JOURNEYS", "10"))
METHODS = st.sampled_from(sorted(sandbox.BEHAVIOURS - {"slow"}))


class Calendar:
    """The time of all journeys."""

    def __init__(self, stack: ExitStack, passing: Time) -> None:
        self.stack, self.passing, self.seconds = stack, passing, 0.0

    def go(self, seconds: float) -> None:
        self.seconds += seconds
        self.stack.enter_context(self.passing(seconds))


class Journeys:
    """Two travellers, four seats, one sandbox; every act may meet any state."""

    def __init__(self, departure: Departure, users: list[User], calendar: Calendar) -> None:
        self.departure, self.users, self.calendar = departure, users, calendar
        self.holds: list[tuple[int, str]] = []
        self.post: list[str] = []
        self.sent: list[str] = []
        self.began = clock.now().date()
        self.number, self.method = 0, ""

    def act(self, what: str, number: int, method: str) -> None:
        self.number, self.method = number, method
        with suppress(SeatlockError, GatewayAway):  # a refusal is an answer
            getattr(self, what.replace(" ", "_"))()

    def hold(self) -> tuple[int, str] | None:
        return self.holds[self.number % len(self.holds)] if self.holds else None

    def buy(self) -> None:
        self.lock()
        self.number = len(self.holds) - 1
        self.start()
        self.pay()

    def lock(self) -> None:
        user = self.users[self.number % 2].pk
        wish = SeatWish(
            departure=self.departure.pk,
            source="AAA",
            destination="CCC",
            seats=(("S1-1", "S1-2"), ("S1-2",), ("S1-3", "S1-4"))[self.number // 2 % 3],
        )
        self.holds.append((user, hold_seats(owner=Owner(user, "none"), wish=wish).hold))

    def start(self) -> None:
        if (found := self.hold()) is None:
            return
        user, hold = found
        start_payment(
            owner=Owner(user, "none"),
            hold=hold,
            provider="sandbox",
            method=self.method,
            allow_other_seats=self.number % 3 == 0,
        )

    def pay(self) -> None:
        mine = [str(pk) for pk in self.payments().values_list("pk", flat=True)]
        orders = list(SandboxOrder.objects.filter(payment__in=mine).order_by("created_at", "id"))
        if orders:
            order = sandbox.pay(orders[self.number % len(orders)].pk)
            self.post.extend(body for body, _ in tasks.notices(order))

    def send(self) -> None:
        if self.post:
            body = self.post.pop(self.number % len(self.post))
            self.sent.append(body)
            assert send(body).status_code == 200

    def send_again(self) -> None:
        if self.sent:
            assert send(self.sent[self.number % len(self.sent)]).status_code == 200

    def confirm(self) -> None:
        if (found := self.hold()) is not None:
            confirm_booking(owner=Owner(found[0], "none"), hold=found[1])

    def payments(self) -> "QuerySet[Payment]":
        return Payment.objects.filter(departure=self.departure)

    def booking(self) -> Booking | None:
        booked = Booking.objects.filter(departure=self.departure, status="confirmed")
        rows = list(booked.order_by("id"))
        return rows[self.number % len(rows)] if rows else None

    def cancel(self) -> None:
        self.give_back(lambda _: None)

    def cancel_seat(self) -> None:
        self.give_back(lambda seats: [seats[self.number % len(seats)]])

    def give_back(self, choose: Callable[[list[str]], list[str] | None]) -> None:
        if (booking := self.booking()) is not None:
            actor, pnr = booking.owner_id or 0, booking.pnr or ""
            seats = choose(list(view_bookings([booking])[0].seats))
            quoted = quote_cancellation(actor=actor, as_staff=False, pnr=pnr, seats=seats)
            done = cancel_booking(actor=actor, as_staff=False, pnr=pnr, seats=seats)
            assert (done.refund, done.rule) == (quoted.refund, quoted.rule)

    def override(self) -> None:
        if (booking := self.booking()) is not None:
            part = (booking.fare * self.number / 11).quantize(CENT, ROUND_DOWN)
            told = Override(reason="as a courtesy", refund=part)
            staff = self.users[0].pk
            cancel_booking(actor=staff, as_staff=True, pnr=booking.pnr or "", override=told)

    def change(self) -> None:
        """The first seat for a chair or a berth; what is due is a payment like any other."""
        if (booking := self.booking()) is not None:
            seats = view_bookings([booking])[0].seats
            other = ("C1-1", "C1-2", "S1-5", "S1-2")[self.number % 4]
            change_booking(
                owner=Owner(booking.owner_id or 0, "none"),
                pnr=booking.pnr or "",
                wish=ChangeWish(seats=(other,), instead_of=seats[:1]),
                how=How(provider="sandbox", method=self.method),
            )

    def wait(self) -> None:
        self.calendar.go((20, 200, 700)[self.number % 3])

    def wait_long(self) -> None:
        self.calendar.go(LONG_SECONDS)

    def sweep(self) -> None:
        expire_holds()

    def finish(self) -> None:
        finish_captured()

    def ask(self) -> None:
        ask_gateways()

    def refund(self) -> None:
        refunds_go_out()

    def outbox(self) -> None:
        consume_pending()

    def flush(self) -> None:
        holds_store().flushall()
        move_scripts_clock(int(self.calendar.seconds * 1000))

    def settle(self) -> None:
        """Let everything that is under way come to its end."""
        self.calendar.go(1400)
        while self.post:
            self.send()
        for _ in range(3):
            ask_gateways()
            day = self.began
            while day <= clock.now().date():  # what was paid after days of silence
                compare_day(day)
                day += timedelta(days=1)
            finish_captured()
            self.calendar.go(4000)
            refunds_go_out()

    def withdraw(self) -> None:
        """The departure does not run: what was booked goes back whole."""
        cancel_departure(departure=self.departure.pk, actor=self.users[0].pk, reason="snow")
        cancel_withdrawn()
        for _ in range(3):
            refunds_go_out()
            self.calendar.go(4000)
        assert not BookedSeat.objects.filter(booking__departure=self.departure, live=True).exists()


def booked_and_kept(booking: Booking) -> Decimal:
    """The fare of the seats it has, and what rules kept of those given back."""
    has = sum((row.fare for row in booking.booked_seats.filter(live=True)), Decimal(0))
    assert has == (booking.fare if booking.status == "confirmed" else 0)
    return has + sum((each.fare - each.refund for each in booking.cancellations.all()), Decimal(0))


def money_agrees() -> None:
    """Ours and the sandbox's books: captured = booked + kept + given back, for each booking over
    the payments it has, and for each payment that is of none.
    """
    balance: defaultdict[Booking | Payment, Decimal] = defaultdict(Decimal)
    for payment in Payment.objects.filter(captured_amount__isnull=False):
        back = payment.refunds.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
        balance[payment.booking or payment] += (payment.captured_amount or Decimal(0)) - back
        refused = payment.refunds.filter(state="failed").exists()
        there = SandboxRefund.objects.filter(order_id=payment.reference)
        given = there.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
        assert given == (0 if refused else back), "what we owe has left, once"
    for whose, left in balance.items():
        assert left == (booked_and_kept(whose) if isinstance(whose, Booking) else 0), whose
    paid = SandboxOrder.objects.filter(state="paid").values_list("id", flat=True)
    captured = Payment.objects.filter(captured_amount__isnull=False)
    assert set(paid) == set(captured.values_list("reference", flat=True))
    assert not Payment.objects.filter(state="captured", outcome="").exists()


def seats_have_one_owner(departure: Departure) -> None:
    taken: set[tuple[int, int]] = set()
    for row in BookedSeat.objects.filter(departure=departure, live=True):
        legs = {(row.seat_id, leg) for leg in range(row.legs.lower, row.legs.upper)}
        assert not legs & taken
        taken |= legs


@pytest.fixture
def train(empty_redis: None, db: None) -> Train:
    return railway.train(stops=("AAA", "BBB", "CCC"))


def test_over_any_journey_money_and_seats_agree(train: Train, time_passes: Time) -> None:
    users = [User.objects.create_user(f"payer{n}", f"payer{n}@example.org") for n in range(2)]
    days = iter(range(3, 10_000))
    seen: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(st.tuples(ACTS, st.integers(0, 11), METHODS), min_size=10, max_size=40),
        st.booleans(),
    )
    def live(acts: list[tuple[str, int, str]], runs: bool) -> None:
        departure = railway.departure(train, days_ahead=next(days))
        journeys = Journeys(departure, users, calendar)
        for what, number, method in acts:
            journeys.act(what, number, method)
        journeys.settle()
        money_agrees()
        seats_have_one_owner(departure)
        if not runs:
            journeys.withdraw()
            money_agrees()
        seen["captured"] += journeys.payments().filter(captured_amount__isnull=False).count()
        seen["given back"] += Cancellation.objects.filter(booking__departure=departure).count()

    with ExitStack() as stack:
        calendar = Calendar(stack, time_passes)
        live()
    assert seen["captured"] > 2, "journeys in which nobody pays prove nothing"
    assert seen["given back"] > 0, "nor do those in which nothing is given back"
