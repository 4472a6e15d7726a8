"""Whole journeys, as a traveller makes them."""

import re

from playwright.sync_api import expect

from reservations.models import Booking
from tests.browser.conftest import Open
from trains.models import Departure


def test_register_search_pick_pay_ticket_cancel(surf: Open, departure: Departure) -> None:
    page = surf().page
    page.goto("/")
    page.get_by_label("From", exact=True).fill("aaa")
    expect(page.locator("#from-list option")).to_have_count(1)
    page.get_by_label("To", exact=True).fill("CCC")
    page.get_by_label("Date").fill(departure.service_date.isoformat())
    page.get_by_role("button", name="Find trains").click()
    page.get_by_role("link", name=re.compile("^Sleeper")).click()
    for label in ("S1-1", "S1-3"):
        page.locator(f'g[data-seat="{label}"]').click()
    expect(page.locator("#picked")).to_contain_text("S1-1, S1-3")
    page.get_by_role("button", name="Hold these seats").click()
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("Username").fill("meera")
    page.get_by_label("E-mail").fill("meera@example.org")
    page.get_by_label("Password").fill("konkan-Kanya-10111")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"2:[345]\d"))
    for at, name in enumerate(("Meera", "Ravi")):
        page.locator(f"#name-{at}").fill(name)
        page.locator(f"#age-{at}").fill("41")
    page.get_by_role("button", name="Go on to payment").click()
    page.get_by_role("link", name="Pay now").click()
    page.get_by_role("button", name="Pay", exact=True).click()
    expect(page.get_by_role("img", name="QR code of the ticket, for the gate")).to_be_visible()
    expect(page.locator(".holds")).to_have_count(0)
    page.get_by_role("link", name="Cancel…").click()
    expect(page.get_by_text("You get back")).to_be_visible()
    page.get_by_role("button", name="Cancel the booking").click()
    expect(page.get_by_text("The booking is cancelled.")).to_be_visible()
    assert Booking.objects.get().status == "cancelled"


def test_two_fight_for_a_seat_and_the_loser_is_offered_another(surf: Open) -> None:
    winner, loser = surf("asha"), surf("ravi")
    loser.hears_by_socket_alone()
    loser.see_seats()
    loser.seat("S1-4").click()
    expect(loser.seat("S1-4")).to_have_attribute("aria-checked", "true")
    winner.hold("S1-4")
    told = loser.page.locator("#say")
    expect(told).to_contain_text("Seat S1-4 was just taken by somebody else.")
    expect(loser.seat("S1-4")).to_have_class(re.compile("is-held"))
    expect(loser.page.locator('#coach input[value="S1-4"]')).to_be_disabled()
    told.get_by_role("button").click()
    expect(loser.page.locator("#picked")).to_contain_text(re.compile(r"S1-\d"))
    loser.page.get_by_role("button", name="Hold these seats").click()
    expect(loser.page.get_by_role("heading", name="Who travels?")).to_be_visible()


def test_a_seat_taken_in_the_same_second_is_explained_after_the_click(surf: Open) -> None:
    winner, loser = surf("asha"), surf("ravi")
    loser.hears_nothing()
    loser.see_seats()
    loser.seat("S1-2").click()
    winner.hold("S1-2")
    loser.page.get_by_role("button", name="Hold these seats").click()
    expect(loser.page.get_by_role("alert")).to_contain_text("Seat S1-2 was taken a moment ago.")
    loser.page.get_by_role("button", name=re.compile("^Hold S1-. instead$")).click()
    expect(loser.page.get_by_role("heading", name="Who travels?")).to_be_visible()


def test_a_hold_outlives_a_reload_and_is_on_every_page(surf: Open) -> None:
    asha = surf("asha")
    asha.hold("S1-1")
    for path in ("/", "/bookings/", asha.seats_url, "/profile/"):
        asha.page.goto(path)
        expect(asha.page.locator(".hold-what strong")).to_have_text("S1-1")
    asha.page.get_by_role("button", name="Let go").click()
    expect(asha.page.get_by_text("The seats are free again.")).to_be_visible()
    expect(asha.page.locator(".holds")).to_have_count(0)


def test_a_hold_ends_on_the_screen_without_a_reload(surf: Open, short_holds: None) -> None:
    asha, ravi = surf("asha"), surf("ravi")
    ravi.see_seats()
    changes = ravi.record("S1-1")
    asha.hold("S1-1")
    expect(asha.page.locator("[data-over]")).to_be_visible()
    expect(ravi.seat("S1-1")).to_have_class(re.compile("is-free"))
    assert changes() == ["is-held", "is-free"]


def test_picks_outlive_a_change_of_coach(surf: Open) -> None:
    asha = surf("asha")
    asha.see_seats()
    asha.seat("S1-1").click()
    asha.page.locator('a[data-coach="C1"]').click()
    asha.seat("C1-2").click()
    expect(asha.page.locator("#picked")).to_contain_text("S1-1, C1-2")
    asha.page.locator('a[data-coach="S1"]').click()
    expect(asha.seat("S1-1")).to_have_class(re.compile("is-picked"))
    asha.page.get_by_role("button", name="Hold these seats").click()
    expect(asha.page.locator(".hold-what strong")).to_contain_text("S1-1, C1-2")
