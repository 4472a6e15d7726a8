"""Over random journeys of money: what was captured is booked or back, to the cent, and each
seat-leg has at most one owner.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from decimal import Decimal

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.errors import SeatlockError
from config.outbox.consumers import consume_pending
from config.stores.redis import holds_store
from reservations.models import BookedSeat, Booking
from reservations.payments import sandbox, tasks
from reservations.payments.gateways.port import GatewayAway
from reservations.payments.models import Payment, SandboxOrder, SandboxRefund
from reservations.payments.services.ask_gateways import ask_gateways, finish_captured
from reservations.payments.services.start_payment import start_payment
from reservations.services.cancel_booking import cancel_booking
from reservations.services.choose_seats import SeatWish
from reservations.services.confirm_booking import confirm_booking
from reservations.services.expire_holds import expire_holds
from reservations.services.hold_seats import Owner, hold_seats
from tests.availability import railway
from tests.engine import move_scripts_clock
from tests.payments.paying import refunds_go_out, send
from trains.models import Departure, Train
from users.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(280)]

Time = Callable[[float], AbstractContextManager[None]]
ACTS = st.sampled_from(
    ["buy", "buy", "buy", "lock", "start", "pay", "send", "send", "send again", "confirm", "cancel",
     "wait", "sweep", "finish", "ask", "refund", "outbox", "flush"]
)  # fmt: skip
METHODS = st.sampled_from(sorted(sandbox.BEHAVIOURS - {"slow"}))


class Journeys:
    """Two travellers, two seats, one sandbox; every act may meet any state."""

    def __init__(
        self, departure: Departure, users: list[User], stack: ExitStack, passing: Time
    ) -> None:
        self.departure, self.users, self.stack, self.passing = departure, users, stack, passing
        self.holds: list[tuple[int, str]] = []
        self.post: list[str] = []
        self.sent: list[str] = []
        self.now = 0.0
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
            seats=(f"S1-{1 + self.number // 2 % 2}",),
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
        orders = list(SandboxOrder.objects.order_by("created_at", "id"))
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

    def cancel(self) -> None:
        booked = list(Booking.objects.filter(status="confirmed").order_by("id"))
        if booked:
            booking = booked[self.number % len(booked)]
            assert booking.owner_id is not None
            assert booking.pnr is not None
            cancel_booking(actor=booking.owner_id, as_staff=False, pnr=booking.pnr)

    def wait(self) -> None:
        self.pass_time((20, 200, 700)[self.number % 3])

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.stack.enter_context(self.passing(seconds))

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
        move_scripts_clock(int(self.now * 1000))

    def settle(self) -> None:
        """Let everything that is under way come to its end."""
        self.pass_time(700)
        self.pass_time(700)
        while self.post:
            self.send()
        for _ in range(3):
            ask_gateways()
            finish_captured()
            self.pass_time(4000)
            refunds_go_out()


def money_agrees() -> None:
    """Ours and the sandbox's books: captured = booked + given back, for each payment."""
    for payment in Payment.objects.filter(captured_amount__isnull=False):
        back = payment.refunds.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
        booked = payment.booking.fare if payment.booking is not None else Decimal(0)
        assert payment.captured_amount == booked + back, payment
        refused = payment.refunds.filter(state="failed").exists()
        there = SandboxRefund.objects.filter(order_id=payment.reference)
        given = there.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
        assert given == (0 if refused else back), "what we owe has left, once"
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
    captured = []

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(ACTS, st.integers(0, 11), METHODS), min_size=10, max_size=40))
    def live(acts: list[tuple[str, int, str]]) -> None:
        departure = railway.departure(train, days_ahead=next(days))
        with ExitStack() as stack:
            journeys = Journeys(departure, users, stack, time_passes)
            for what, number, method in acts:
                journeys.act(what, number, method)
            journeys.settle()
            money_agrees()
            seats_have_one_owner(departure)
        captured.append(Payment.objects.filter(captured_amount__isnull=False).count())

    live()
    assert max(captured) > 2, "journeys in which nobody pays prove nothing"
