"""From a hold to a ticket, by forms alone."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from pytest_django import Settings

from reservations.models import Booking
from reservations.payments.models import Payment
from tests.pages.visiting import Visit, read, says, travellers
from tests.payments.paying import pay
from trains.models import Departure
from users.models import SavedTraveller

pytestmark = pytest.mark.django_db

Time = Callable[[float], AbstractContextManager[None]]


@pytest.fixture
def free_of_charge(settings: Settings) -> None:
    """No sandbox: a hold is booked at once."""
    settings.ENV = settings.ENV.model_copy(update={"payment_providers": []})


def test_a_hold_becomes_a_ticket(asha: Visit, departure: Departure, free_of_charge: None) -> None:
    pnr = asha.book(departure, "S1-1", "S1-2")
    booking = Booking.objects.get(pnr=pnr)
    assert booking.owner == asha.user
    ticket = asha.get(f"/bookings/{pnr}/")
    for text in (pnr, "S1-1", "Traveller 2", "Aaa Junction", "08:00"):
        assert says(ticket, text), text
    (image,) = [a for tag, a in read(ticket).tags if tag == "img"]
    assert (image["src"] or "").startswith("data:image/png;base64,")
    assert image["alt"]


def test_a_booked_hold_leads_to_its_ticket_from_then_on(
    asha: Visit, departure: Departure, free_of_charge: None
) -> None:
    page = asha.held(departure, "S1-1")
    first = asha.post(page, travellers(1))
    again = asha.post(page, travellers(1))
    assert first["Location"] == again["Location"] == asha.get(page)["Location"]
    assert Booking.objects.count() == 1


def test_passengers_must_be_named_and_what_was_typed_stays(
    asha: Visit, departure: Departure, free_of_charge: None
) -> None:
    page = asha.held(departure, "S1-1", "S1-2")
    said = {"name-0": "Asha Rao", "age-0": "34", "name-1": "", "age-1": "two hundred"}
    refused = asha.post(page, said)
    assert refused.status_code == 400
    assert says(refused, "Type the passenger's name.")
    assert says(refused, "Type the age in years.")
    assert any(a.get("value") == "Asha Rao" for _, a in read(refused).tags)
    assert Booking.objects.count() == 0


def test_a_saved_traveller_fills_what_was_left_empty(
    asha: Visit, departure: Departure, free_of_charge: None
) -> None:
    assert asha.user is not None
    saved = SavedTraveller.objects.create(
        owner=asha.user, name="Meera", birth_date="1990-01-01", gender="female"
    )
    page = asha.held(departure, "S1-1")
    answer = asha.post(page, {"traveller-0": str(saved.pk)})
    assert answer.status_code == 302
    assert says(asha.get(answer["Location"]), "Meera")


def test_a_hold_is_seen_and_moved_by_its_owner_alone(
    asha: Visit, ravi: Visit, stranger: Visit, departure: Departure
) -> None:
    page = asha.held(departure, "S1-1")
    assert ravi.get(page).status_code == 404
    for verb in ("extend/", "release/"):
        ravi.post(page + verb)
        assert stranger.post(page + verb)["Location"] == "/login/"
    assert stranger.get(page)["Location"].startswith("/login/?next=")
    assert asha.get(page).status_code == 200


def test_more_time_until_no_more_is_given(
    asha: Visit, departure: Departure, time_passes: Time
) -> None:
    page = asha.held(departure, "S1-1")
    with time_passes(100):
        answer = asha.post(f"{page}extend/", {"next": "/bookings/"})
        assert answer["Location"] == "/bookings/"
        assert says(asha.get("/bookings/"), "You have more time now.")
        for seconds in (170, 150, 170):
            with time_passes(seconds):
                asha.post(f"{page}extend/")
        asha.post(f"{page}extend/")
    assert asha.post(f"{page}extend/", {"next": "https://elsewhere.example/"})["Location"] == "/"


def test_seats_that_were_let_go_are_free(asha: Visit, ravi: Visit, departure: Departure) -> None:
    page = asha.held(departure, "S1-1")
    back = asha.post(f"{page}release/", {"next": page})
    assert back["Location"] == f"/departures/{departure.pk}/"
    assert ravi.hold(departure, "S1-1").status_code == 302


def test_a_hold_that_ran_out_says_so(asha: Visit, departure: Departure, time_passes: Time) -> None:
    page = asha.held(departure, "S1-1")
    with time_passes(181):
        over = asha.get(page)
        assert over.status_code == 410
        assert says(over, "Your time ran out")
        assert asha.post(page, travellers(1)).status_code == 410


@pytest.mark.django_db(transaction=True)
def test_with_payment_the_money_makes_the_booking(asha: Visit, departure: Departure) -> None:
    page = asha.held(departure, "S1-1")
    answer = asha.post(page, travellers(1))
    assert answer["Location"].startswith("/payments/")
    waiting = asha.get(answer["Location"])
    (link,) = [
        a["href"] for tag, a in read(waiting).tags if "/sandbox/pay/" in (a.get("href") or "")
    ]
    assert link
    payment = Payment.objects.get()
    assert payment.passengers[0]["name"] == "Traveller 1"
    pay(payment)
    done = asha.get(answer["Location"])
    booking = Booking.objects.get()
    assert done["Location"] == f"/bookings/{booking.pnr}/"
    moved = asha.client.get(answer["Location"], headers={"HX-Request": "true"})
    assert (moved.status_code, moved["HX-Redirect"]) == (204, f"/bookings/{booking.pnr}/")


def test_a_payment_is_seen_by_its_owner_alone(
    asha: Visit, ravi: Visit, departure: Departure
) -> None:
    page = asha.held(departure, "S1-1")
    payment = asha.post(page, travellers(1))["Location"]
    assert ravi.get(payment).status_code == 404
    assert asha.get(payment).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_money_that_came_too_late_is_told(
    asha: Visit, ravi: Visit, departure: Departure, time_passes: Time
) -> None:
    page = asha.held(departure, "S1-1")
    address = asha.post(page, travellers(1))["Location"]
    with time_passes(2000):
        ravi.held(departure, "S1-1")
        pay(Payment.objects.get())
        assert says(asha.get(address), "Your money is on its way back")
