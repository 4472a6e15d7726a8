"""Staff in a browser: charts from tables, a hold released, nothing an axe would find."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pymongo.database import Database

from tests.analytics.travelling import book, lock, ship
from tests.browser.conftest import Open
from tests.browser.surfing import Surfer, moved
from tests.browser.test_everybody import CONTRAST, RULES, Rules
from tests.engine import Traveller
from trains.models import Departure
from users.models import User

PAGES = (
    *("", "departures/", "holds/", "bookings/", "waitlists/", "payments/"),
    *("demand/", "calls/", "health/"),
)


@pytest.fixture
def meera(
    surf: Open,
    departure: Departure,
    anna: Traveller,
    mongo: "Database[dict[str, Any]]",
) -> Surfer:
    """Of the staff, while a traveller is at it."""
    book(anna, departure, "S1-1", "S1-2")
    lock(anna, departure, "S1-5")
    staff = surf("meera")
    User.objects.filter(username="meera").update(is_staff=True)
    ship()
    return staff


def test_charts_are_drawn_and_a_release_is_seen(meera: Surfer) -> None:
    page = meera.page
    page.goto("/staff/")
    expect(page.locator("figure.chart").first).to_be_visible()
    page.get_by_role("link", name="Live holds").click()
    page.get_by_label("Why is it released?").fill("Cannot pay")
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_text("The seats are free again.")).to_be_visible()
    expect(page.get_by_text("Nobody holds a seat.")).to_be_visible()


def test_another_vehicle_is_planned_and_confirmed(meera: Surfer, departure: Departure) -> None:
    """A hold on a seat that is lost is in the way first."""
    page = meera.page
    page.goto(f"/staff/departures/{departure.pk}/")
    page.get_by_role("link", name="Another vehicle").click()
    page.get_by_label("Coach S1 runs as").select_option("does not run")
    page.get_by_label("Why?").fill("S1 broke down")
    page.get_by_role("button", name="Make a plan").click()
    expect(page.locator("#table-without tbody tr")).to_have_count(2)
    assert found_by_axe(page, RULES) == []
    address = page.url
    page.get_by_role("button", name="Confirm and move them").click()
    expect(page.get_by_role("alert")).to_contain_text("is held by somebody")
    page.get_by_role("link", name="Live holds").click()
    page.get_by_label("Why is it released?").fill("S1 broke down")
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_text("The seats are free again.")).to_be_visible()
    page.goto(address)
    page.get_by_role("button", name="Confirm and move them").click()
    expect(page.locator("h1")).to_contain_text("done")
    page.goto(f"/staff/departures/{departure.pk}/reseatings/")
    expect(page.locator("#table-plans")).to_contain_text("S1 broke down")
    assert found_by_axe(page, RULES) == []


def test_axe_finds_nothing_and_nothing_moves_on_the_board(
    meera: Surfer, departure: Departure
) -> None:
    page = meera.page
    day = departure.service_date
    for path in (*PAGES, f"departures/?day={day}", f"departures/{departure.pk}/"):
        page.goto(f"/staff/{path}")
        assert not moved(page)
        assert found_by_axe(page, RULES) == [], path
    page.emulate_media(color_scheme="dark")
    for path in ("", f"departures/{departure.pk}/"):
        page.goto(f"/staff/{path}")
        assert found_by_axe(page, CONTRAST) == [], path


def found_by_axe(page: Page, rules: Rules) -> list[tuple[str, str]]:
    violations = Axe().run(page, options=rules).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in violations]
