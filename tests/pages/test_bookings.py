"""My bookings: the list, the files, and the end of one."""

from typing import Any

import pytest
from pytest_django import Settings

from reservations.models import Booking
from tests.availability import railway
from tests.pages.visiting import Visit, read, says
from trains.models import Departure, Train

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _free_of_charge(settings: Settings) -> None:
    settings.ENV = settings.ENV.model_copy(update={"payment_providers": []})


@pytest.mark.django_db(transaction=True)
def test_upcoming_and_past_are_apart(asha: Visit, express: Train, departure: Departure) -> None:
    ahead = asha.book(departure, "S1-1")
    over = asha.book(departure, "S1-2")
    asha.post(f"/bookings/{over}/cancel/")
    upcoming, past = asha.get("/bookings/"), asha.get("/bookings/", show="past")
    assert says(upcoming, ahead)
    assert not says(upcoming, over)
    assert says(past, over)
    assert not says(past, ahead)


def test_journeys_come_soonest_first(asha: Visit, express: Train, departure: Departure) -> None:
    later = asha.book(railway.departure(express, days_ahead=9), "S1-1")
    sooner = asha.book(departure, "S1-1")
    text = asha.get("/bookings/").content.decode()
    assert text.index(sooner) < text.index(later)


def test_a_long_list_has_pages(asha: Visit, express: Train) -> None:
    for day in range(2, 23):
        asha.book(railway.departure(express, days_ahead=day), "S1-1")
    first, second = asha.get("/bookings/"), asha.get("/bookings/", page=2)
    assert first.content.count(b'class="row stub"') == 20
    assert second.content.count(b'class="row stub"') == 1
    assert asha.get("/bookings/", page="nonsense").status_code == 200


def test_the_ticket_comes_as_pdf_and_calendar_file(asha: Visit, departure: Departure) -> None:
    pnr = asha.book(departure, "S1-1")
    pdf = asha.get(f"/bookings/{pnr}/ticket.pdf")
    assert (pdf["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert asha.get(f"/bookings/{pnr}/ticket.pdf", width="phone").content[:5] == b"%PDF-"
    calendar = asha.get(f"/bookings/{pnr}/ticket.ics")
    assert pnr.encode() in calendar.content
    assert asha.get(f"/bookings/{pnr}/ticket.exe").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_the_refund_is_shown_before_the_click_and_the_seat_is_free_after(
    asha: Visit, ravi: Visit, departure: Departure
) -> None:
    pnr = asha.book(departure, "S1-1")
    shown = asha.get(f"/bookings/{pnr}/cancel/")
    assert says(shown, "You get back")
    assert Booking.objects.get(pnr=pnr).status == "confirmed"
    assert asha.post(f"/bookings/{pnr}/cancel/")["Location"] == f"/bookings/{pnr}/"
    assert says(asha.get(f"/bookings/{pnr}/"), "cancelled")
    assert ravi.hold(departure, "S1-1").status_code == 302
    assert asha.get(f"/bookings/{pnr}/cancel/")["Location"] == f"/bookings/{pnr}/"
    asha.post(f"/bookings/{pnr}/cancel/")
    assert says(asha.get("/bookings/"), "It was changed meanwhile.")


def shown_on(page: Any) -> dict[str, list[str]]:
    """What the button of the cancel page sends along."""
    fields = [attrs for tag, attrs in read(page).tags if tag == "input"]
    return {
        name: [each["value"] or "" for each in fields if each.get("name") == name]
        for name in ("shown",)
    } | {
        "seat": [
            each["value"] or ""
            for each in fields
            if each.get("name") == "seat" and each.get("type") == "hidden"
        ]
    }


def test_a_single_seat_is_given_back_and_the_others_stay(asha: Visit, departure: Departure) -> None:
    pnr = asha.book(departure, "S1-1", "S1-2", "S1-3")
    chosen = asha.get(f"/bookings/{pnr}/cancel/", of="1", seat=["S1-1", "S1-3"])
    assert says(chosen, "Give back S1-1, S1-3")
    sent = shown_on(chosen)
    assert sent["seat"] == ["S1-1", "S1-3"]
    paid, booking = Booking.objects.get(pnr=pnr).fare, Booking.objects.get(pnr=pnr)
    assert asha.post(f"/bookings/{pnr}/cancel/", sent)["Location"] == f"/bookings/{pnr}/"
    page = asha.get(f"/bookings/{pnr}/")
    assert says(page, "The seats are given back.")
    assert says(page, "Given back S1-1, S1-3")
    booking.refresh_from_db()
    assert (booking.status, booking.fare * 3) == ("confirmed", paid)
    nothing = asha.get(f"/bookings/{pnr}/cancel/", of="1")
    assert not shown_on(nothing)["shown"]
    assert says(asha.get(f"/bookings/{pnr}/cancel/"), "You get back")


def test_an_amount_that_changed_meanwhile_is_shown_before_it_counts(
    asha: Visit, departure: Departure
) -> None:
    pnr = asha.book(departure, "S1-1")
    sent = {**shown_on(asha.get(f"/bookings/{pnr}/cancel/")), "shown": ["0.01"]}
    answer = asha.post(f"/bookings/{pnr}/cancel/", sent)
    assert answer.status_code == 409
    assert says(answer, "What comes back has changed meanwhile.")
    assert Booking.objects.get(pnr=pnr).status == "confirmed"
    asha.post(f"/bookings/{pnr}/cancel/", shown_on(answer))
    assert Booking.objects.get(pnr=pnr).status == "cancelled"


def test_seats_of_another_booking_are_not_given_back(asha: Visit, departure: Departure) -> None:
    pnr = asha.book(departure, "S1-1")
    other = asha.book(departure, "S1-2")
    asha.post(f"/bookings/{pnr}/cancel/", {"seat": ["S1-2"]})
    assert set(Booking.objects.values_list("pnr", "status")) == {
        (pnr, "confirmed"),
        (other, "confirmed"),
    }


def test_anothers_booking_looks_absent(asha: Visit, ravi: Visit, departure: Departure) -> None:
    pnr = asha.book(departure, "S1-1")
    for end in ("", "cancel/", "ticket.pdf", "ticket.ics"):
        assert ravi.get(f"/bookings/{pnr}/{end}").status_code == 404, end
        assert ravi.get(f"/bookings/4444444444/{end}").status_code == 404, end
    ravi.post(f"/bookings/{pnr}/cancel/")
    assert Booking.objects.get(pnr=pnr).status == "confirmed"
