"""Other seats for a booking, picked on the map while others buy."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.test_board import found_by_axe
from tests.browser.test_everybody import RULES


def test_seats_of_a_change_are_picked_on_the_live_map(surf: Open) -> None:
    asha, ravi = surf("asha"), surf("ravi", phone=True)
    pnr = asha.book("S1-1", "S1-2")
    page = asha.page
    page.goto(f"/bookings/{pnr}/change/")
    page.locator('input[name="where"][value$=":SL"]').check()
    page.locator('input[name="instead_of"][value="S1-1"]').uncheck()
    page.get_by_role("button", name="Pick on the seat map").click()
    expect(page.get_by_role("heading", name="Pick 1 seat")).to_be_visible()
    asha.hears_by_socket_alone()
    expect(asha.seat("S1-7")).to_have_attribute("role", "checkbox")
    expect(asha.seat("S1-2")).to_have_class(re.compile("is-sold"))
    cost = page.get_by_role("button", name="Show what it costs")
    expect(cost).to_be_disabled()
    asha.seat("S1-7").click()
    expect(cost).to_be_enabled()
    asha.seat("S1-8").click()
    expect(page.locator("#say")).to_contain_text("You change 1 seat.")
    assert found_by_axe(page, RULES) == []
    ravi.hold("S1-7")
    told = page.locator("#say")
    expect(told).to_contain_text("Seat S1-7 was just taken by somebody else.")
    expect(cost).to_be_disabled()
    told.get_by_role("button").click()
    expect(cost).to_be_enabled()
    picked = page.locator("#picked strong").inner_text()
    cost.click()
    expect(page.locator(".bill")).to_contain_text(picked)
    page.get_by_role("button", name="Change now").click()
    expect(page.get_by_text("Your booking is changed.")).to_be_visible()
    expect(page.locator(".ticket")).to_contain_text(picked)
