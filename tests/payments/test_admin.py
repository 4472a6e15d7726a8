"""Money in the admin: to look at, without names and without what only its payer may use."""

import pytest
from django.test import Client

from reservations.payments.models import Payment
from tests.engine import Traveller
from tests.payments.paying import lock, pay, start
from trains.models import Departure
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)
KINDS = ("payment", "refund", "difference", "gatewaymessage")


@pytest.fixture
def office(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief", "chief@example.org", "a long phrase"))
    return client


@pytest.fixture
def payment(anna: Traveller, departure: Departure) -> Payment:
    """Booked, for Asha; and cancelled, so that there is a refund."""
    hold = lock(anna, departure, "S1-1")["hold"]
    party = [{"name": "Asha Kshatriya", "age": 34}]
    paid = pay(start(anna, hold, passengers=party))
    assert paid.booking is not None
    assert anna.post(f"reservations/bookings/{paid.booking.pnr}/cancel/").status_code == 200
    return paid


@pytest.mark.parametrize("kind", KINDS)
def test_lists_are_shown_and_nothing_is_added(office: Client, payment: Payment, kind: str) -> None:
    assert office.get(f"/admin/payments/{kind}/").status_code == 200
    assert office.get(f"/admin/payments/{kind}/add/").status_code == 403


def test_a_payment_is_shown_with_its_refunds_and_cannot_be_changed(
    office: Client, payment: Payment
) -> None:
    path = f"/admin/payments/payment/{payment.pk}/change/"
    page = office.get(path).content.decode()
    assert str(payment.refunds.get().amount) in page
    assert payment.capability not in page
    assert "Asha" not in page
    assert payment.booking is not None
    assert f"/admin/reservations/booking/{payment.booking.pk}/change/" in (
        office.get("/admin/payments/payment/").content.decode()
    )
    assert office.post(path, {"state": "refunded"}).status_code == 403
    assert office.post(f"/admin/payments/payment/{payment.pk}/delete/").status_code == 403
    payment.refresh_from_db()
    assert payment.state == "captured"
    refund = payment.refunds.get()
    shown = office.get(f"/admin/payments/refund/{refund.pk}/change/")
    assert refund.reason in shown.content.decode()


def test_who_was_named_with_a_payment_is_erased_with_the_rest(
    anna: Traveller, payment: Payment
) -> None:
    assert anna.client.delete("/api/v1/reservations/passengers/").json()["erased"] == 1
    payment.refresh_from_db()
    assert payment.passengers == []
