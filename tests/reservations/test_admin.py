"""Bookings and blocks in the admin: to look at, and for a cost that does not grow with the rows."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from reservations.models import Booking, SeatBlock
from tests.engine import Traveller
from trains.models import Departure, Seat
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief", "chief@example.org", "a long phrase"))
    return client


def book(anna: Traveller, departure: Departure, *seats: str) -> Booking:
    wish = {"departure": departure.pk, "source": "AAA", "destination": "CCC", "seats": seats}
    hold = anna.post("reservations/lock/", wish).json()["hold"]
    pnr = anna.post("reservations/confirm/", {"hold": hold}).json()["pnr"]
    return Booking.objects.get(pnr=pnr)


def cost(office: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert office.get(path).status_code == 200
    return len(queries)


def test_a_booking_is_shown_with_its_seats_and_links_and_cannot_be_changed(
    office: Client, anna: Traveller, departure: Departure
) -> None:
    booking = book(anna, departure, "S1-1", "S1-2")
    listed = office.get("/admin/reservations/booking/").content.decode()
    assert booking.pnr
    assert booking.pnr in listed
    assert f"/admin/trains/departure/{departure.pk}/change/" in listed
    path = f"/admin/reservations/booking/{booking.pk}/change/"
    page = office.get(path).content.decode()
    assert "Confirmed" in page
    assert office.post(path, {"status": "cancelled"}).status_code == 403
    assert office.get("/admin/reservations/booking/add/").status_code == 403
    assert office.post(f"/admin/reservations/booking/{booking.pk}/delete/").status_code == 403
    booking.refresh_from_db()
    assert booking.status == "confirmed"


def test_a_tombstone_is_no_booking(office: Client, departure: Departure) -> None:
    void = Booking.objects.create(hold="x" * 40, departure=departure, status="void")
    listed = office.get("/admin/reservations/booking/").content.decode()
    assert f"/admin/reservations/booking/{void.pk}/" not in listed
    assert office.get(f"/admin/reservations/booking/{void.pk}/change/").status_code == 302


def test_lists_cost_the_same_for_few_rows_and_for_many(
    office: Client, anna: Traveller, departure: Departure
) -> None:
    seats = list(Seat.objects.filter(train=departure.train).order_by("ordinal")[:8])
    booking, block = "/admin/reservations/booking/", "/admin/reservations/seatblock/"
    book(anna, departure, "S1-1")
    SeatBlock.objects.create(departure=departure, seat=seats[7], created_by=anna.user, reason="x")
    cost(office, booking)
    cost(office, block)
    few = cost(office, booking), cost(office, block)
    for number in range(2, 6):
        book(anna, departure, f"S1-{number}")
    for seat in seats[5:7]:
        SeatBlock.objects.create(departure=departure, seat=seat, created_by=anna.user, reason="y")
    assert (cost(office, booking), cost(office, block)) == few
