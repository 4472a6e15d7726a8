"""Other seats, or another departure, by forms alone; what it costs is shown first."""

import re
from typing import Any

import pytest
from pytest_django import Settings

from reservations.models import BookedSeat, Booking
from reservations.payments.models import Payment
from tests.availability import railway
from tests.pages.visiting import Visit, read, says, travellers
from tests.payments.paying import pay
from trains.models import Departure, Train

pytestmark = pytest.mark.django_db


@pytest.fixture
def free_of_charge(settings: Settings) -> None:
    settings.ENV = settings.ENV.model_copy(update={"payment_providers": []})


def fields(page: Any) -> dict[str, Any]:
    """What the form on a page that asks once more would send."""
    found = [attrs for tag, attrs in read(page).tags if tag == "input" and attrs.get("name")]
    assert not any("data-countdown" in attrs for _tag, attrs in read(page).tags)
    sent: dict[str, Any] = {}
    for each in found:
        if each.get("type") == "hidden" and each["name"] not in {"csrfmiddlewaretoken", "next"}:
            sent.setdefault(str(each["name"]), []).append(each.get("value") or "")
    return sent


def seats_of(pnr: str) -> list[str]:
    rows = BookedSeat.objects.filter(booking__pnr=pnr, live=True).select_related("seat__coach")
    return sorted(f"{row.seat.coach.label}-{row.seat.number}" for row in rows)


def ask(who: Visit, pnr: str, where: str, **more: Any) -> Any:
    nonce = fields(who.get(f"/bookings/{pnr}/change/"))["nonce"]
    return who.post(f"/bookings/{pnr}/change/", {"where": where, "nonce": nonce, **more})


def test_certain_seats_are_had_instead(
    asha: Visit, departure: Departure, free_of_charge: None
) -> None:
    pnr = asha.book(departure, "S1-1", "S1-2")
    asked = ask(asha, pnr, f"{departure.pk}:SL", seats="S1-7", instead_of=["S1-2"])
    assert says(asked, "It costs the same")
    assert seats_of(pnr) == ["S1-1", "S1-2"]
    done = asha.post(f"/bookings/{pnr}/change/", fields(asked))
    assert done["Location"] == f"/bookings/{pnr}/"
    assert seats_of(pnr) == ["S1-1", "S1-7"]
    assert says(asha.get(f"/bookings/{pnr}/"), "Your booking is changed.")
    assert says(asha.get(f"/bookings/{pnr}/"), "S1-7")


def test_all_go_by_another_departure(
    asha: Visit, express: Train, departure: Departure, free_of_charge: None
) -> None:
    later = railway.departure(express, days_ahead=9)
    pnr = asha.book(departure, "S1-1", "S1-2")
    shown = asha.get(f"/bookings/{pnr}/change/", day=later.service_date.isoformat())
    assert f'value="{later.pk}:SL"' in shown.content.decode()
    asked = ask(asha, pnr, f"{later.pk}:SL", instead_of=["S1-1"])
    asha.post(f"/bookings/{pnr}/change/", fields(asked))
    booking = Booking.objects.get(pnr=pnr)
    assert booking.departure == later
    assert len(seats_of(pnr)) == 2


def test_a_dearer_class_is_paid_before_it_is_had(asha: Visit, departure: Departure) -> None:
    page = asha.post(asha.held(departure, "S1-1"), travellers(1))["Location"]
    pay(Payment.objects.get())
    pnr = asha.get(page)["Location"].split("/")[2]
    asked = ask(asha, pnr, f"{departure.pk}:CC")
    assert says(asked, "Go on to payment")
    paying = asha.post(f"/bookings/{pnr}/change/", fields(asked))["Location"]
    assert paying.startswith("/payments/")
    assert seats_of(pnr) == ["S1-1"]
    pay(Payment.objects.exclude(pk=Payment.objects.earliest("created_at").pk).get())
    assert asha.get(paying)["Location"] == f"/bookings/{pnr}/"
    assert re.fullmatch(r"C1-\d", seats_of(pnr)[0])


def test_what_cannot_be_had_is_told_on_the_form(
    asha: Visit, ravi: Visit, departure: Departure, free_of_charge: None
) -> None:
    pnr = asha.book(departure, "S1-1")
    ravi.book(departure, "S1-2")
    taken = ask(asha, pnr, f"{departure.pk}:SL", seats="S1-2")
    assert taken.status_code == 409
    assert says(taken, "Seat S1-2 was taken a moment ago.")
    assert ask(asha, pnr, "nowhere").status_code == 400
    assert ravi.get(f"/bookings/{pnr}/change/").status_code == 404
    assert ravi.post(f"/bookings/{pnr}/change/", {"where": f"{departure.pk}:SL"}).status_code == 404
    asha.post(f"/bookings/{pnr}/cancel/")
    assert asha.get(f"/bookings/{pnr}/change/")["Location"] == f"/bookings/{pnr}/"


def test_seats_are_picked_on_the_map_or_in_its_list(
    asha: Visit, ravi: Visit, departure: Departure, free_of_charge: None
) -> None:
    """Without JavaScript the map is a list of boxes; what is sent is the same."""
    pnr = asha.book(departure, "S1-1", "S1-2")
    nonce = fields(asha.get(f"/bookings/{pnr}/change/"))["nonce"]
    wish = {"where": f"{departure.pk}:SL", "nonce": nonce, "instead_of": ["S1-2"]}
    there = asha.post(f"/bookings/{pnr}/change/", {**wish, "how": "map"})["Location"]
    drawn = asha.get(there)
    assert says(drawn, "Pick 1 seat")
    assert says(drawn, "Instead of S1-2")
    boxes = {a["value"]: a for tag, a in read(drawn).tags if a.get("type") == "checkbox"}
    assert "disabled" in boxes["S1-1"]
    assert "disabled" not in boxes["S1-7"]
    assert "C1-1" not in boxes, "of the class that was asked for"
    said = fields(drawn)
    ravi.book(departure, "S1-7")
    refused = asha.post(f"/bookings/{pnr}/change/", {**said, "seat": "S1-7"})
    assert refused.status_code == 409
    assert says(refused, "Seat S1-7 was taken a moment ago.")
    (other,) = [
        a["value"]
        for _tag, a in read(refused).tags
        if a.get("type") == "checkbox" and "checked" in a
    ]
    asked = asha.post(f"/bookings/{pnr}/change/", {**fields(refused), "seat": other})
    assert says(asked, f"You change to {other}")
    # Back, and another seat: asked anew, though the form is the same.
    again = next(seat for seat in ("S1-5", "S1-6") if seat != other)
    asked = asha.post(f"/bookings/{pnr}/change/", {**fields(refused), "seat": again})
    assert says(asked, f"You change to {again}")
    asha.post(f"/bookings/{pnr}/change/", fields(asked))
    assert seats_of(pnr) == sorted(["S1-1", again])
    assert ravi.get(there).status_code == 404
