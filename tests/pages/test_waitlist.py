"""The waitlist on the pages: join where a class is full, see the place, take an offer or leave."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from reservations.models import Booking
from reservations.payments.models import Payment
from reservations.waitlist.models import Entry
from tests.availability import railway
from tests.pages.visiting import Visit, read, says, travellers
from tests.payments.paying import pay
from tests.waitlist.conftest import commits, work  # noqa: F401  # a fixture
from trains.models import Departure

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _free_of_charge(settings: Settings) -> None:
    settings.ENV = settings.ENV.model_copy(update={"payment_providers": []})


@pytest.fixture
def run(db: None, empty_redis: None) -> Departure:
    """Two berths SL, two chairs CC, from AAA to CCC."""
    return railway.departure(railway.train(coaches=[("S1", "SL", 2), ("C1", "CC", 2)]))


@pytest.fixture
def sold(run: Departure, ravi: Visit) -> str:
    """Ravi has both berths; the PNR."""
    return ravi.book(run, "S1-1", "S1-2")


def query(run: Departure, seats: int = 1) -> dict[str, str]:
    return {"from": "AAA", "to": "CCC", "class": "SL", "seats": str(seats)}


def join(who: Visit, run: Departure, seats: int = 1) -> str:
    """Join by the form; the address of the entry's page."""
    answer = who.post(f"/departures/{run.pk}/waitlist/", query(run, seats))
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def links(answer: Any) -> list[str]:
    return [attrs.get("href") or "" for tag, attrs in read(answer).tags if tag == "a"]


def test_a_full_class_offers_its_queue_in_results_and_at_the_seats(
    asha: Visit, run: Departure, sold: str
) -> None:
    day = run.service_date.isoformat()
    found = asha.get("/search/", **{**query(run), "class": "", "date": day})
    offered = [link for link in links(found) if f"/departures/{run.pk}/waitlist/" in link]
    assert len(offered) == 1
    assert "class=SL" in offered[0]
    page = asha.get(offered[0])
    assert says(page, "Nobody waits for Sleeper yet: you would be first.")
    seats = asha.get(f"/departures/{run.pk}/", **query(run))
    assert [a for tag, a in read(seats).tags if tag == "select" and a.get("id") == "wait-class"]
    chairs = asha.get("/search/", **{**query(run), "class": "CC", "date": day})
    assert not [link for link in links(chairs) if "/waitlist/" in link and "class=" in link]


def test_the_length_of_the_queue_and_my_place_are_told(
    asha: Visit, run: Departure, sold: str, make_visit: Callable[[str], Visit]
) -> None:
    first = join(asha, run)
    assert says(asha.get(first), "You are number 1 in the queue")
    bela = make_visit("bela")
    assert says(bela.get(f"/departures/{run.pk}/waitlist/", **query(run)), "1 party waits for")
    second = join(bela, run)
    assert says(bela.get(second), "You are number 2 in the queue")
    found = bela.get("/search/", **query(run), date=run.service_date.isoformat())
    assert says(found, "2 waiting")
    assert says(bela.get("/waitlist/"), "place 2")
    assert bela.get(first).status_code == 404
    assert bela.post(f"{first}leave/").status_code == 404


def test_an_offer_is_taken_like_any_hold(
    asha: Visit, ravi: Visit, run: Departure, sold: str
) -> None:
    entry = join(asha, run, 2)
    ravi.post(f"/bookings/{sold}/cancel/")
    work()
    page = asha.get(entry)
    assert says(page, "Seats are held for you")
    assert says(page, "S1-1, S1-2")
    (hold,) = {link for link in links(page) if link.startswith("/holds/")}
    taken = asha.post(hold, travellers(2))
    assert taken["Location"].startswith("/bookings/")
    work()
    assert says(asha.get(entry), "You have seats")
    assert Booking.objects.filter(owner=asha.user, status="confirmed").count() == 1
    assert says(asha.get("/waitlist/"), "booked")


def test_the_place_is_given_up_and_the_offer_with_it(
    asha: Visit, ravi: Visit, run: Departure, sold: str
) -> None:
    entry = join(asha, run)
    ravi.post(f"/bookings/{sold}/cancel/")
    work()
    answer = asha.post(f"{entry}leave/")
    assert (answer.status_code, answer["Location"]) == (302, "/waitlist/")
    assert says(asha.get(entry), "You have left the waitlist")
    assert Entry.objects.get().state == "left"
    seats = asha.get(f"/departures/{run.pk}/states/", **query(run)).content.decode()
    assert "S1-" not in seats
    assert asha.post(f"{entry}leave/").status_code == 302  # once more does nothing


def test_free_seats_are_not_waited_for(asha: Visit, run: Departure) -> None:
    answer = asha.post(f"/departures/{run.pk}/waitlist/", query(run))
    assert answer["Location"].startswith(f"/departures/{run.pk}/?")
    assert says(asha.get(answer["Location"]), "Seats are free after all")
    assert not Entry.objects.exists()


def test_places_in_one_queue_have_a_limit(asha: Visit, run: Departure, sold: str) -> None:
    for _ in range(2):
        join(asha, run)
    answer = asha.post(f"/departures/{run.pk}/waitlist/", query(run))
    assert answer["Location"] == "/waitlist/"
    assert says(asha.get("/waitlist/"), "More than 2 places in one queue are not given.")


def test_a_stranger_signs_in_and_comes_back(stranger: Visit, run: Departure) -> None:
    address = f"/departures/{run.pk}/waitlist/"
    answer = stranger.get(address, **query(run))
    assert answer["Location"].startswith("/login/?next=%2Fdepartures")
    assert stranger.post(address, query(run))["Location"].startswith("/login/")
    assert stranger.get("/waitlist/")["Location"].startswith("/login/")


def test_a_closed_queue_says_so(asha: Visit, run: Departure, sold: str, settings: Settings) -> None:
    settings.ENV = settings.ENV.model_copy(update={"chart_hours": 24 * 365.0})
    assert says(asha.get(f"/departures/{run.pk}/waitlist/", **query(run)), "is closed")
    answer = asha.post(f"/departures/{run.pk}/waitlist/", query(run))
    assert answer.status_code == 409


def test_a_place_is_paid_in_advance_and_booked_by_itself(
    asha: Visit, ravi: Visit, run: Departure, sold: str, settings: Settings
) -> None:
    entry = join(asha, run)
    assert not says(asha.get(entry), "Pay in advance")
    settings.ENV = settings.ENV.model_copy(update={"payment_providers": ["sandbox"]})
    assert says(asha.get(entry), "in advance")
    page = asha.post(f"{entry}pay/")["Location"]
    assert says(asha.get(page), "Pay for your place in advance")
    pay(Payment.objects.get())
    assert asha.get(page)["Location"] == entry
    shown = asha.get(entry)
    assert says(shown, "are paid. You are booked as soon as seats come free")
    assert asha.post(f"{entry}pay/")["Location"] == entry
    assert ravi.post(f"{entry}pay/").status_code == 404
    ravi.post(f"/bookings/{sold}/cancel/")
    work()
    assert says(asha.get(entry), "You have seats")
