"""`make screenshots`: every page in light, dark and phone width, into docs/screenshots/.

Against a running `THROTTLES=off make run` (so much in so short a time is throttled otherwise),
with an account of its own: PORT says where. The pictures are made the same way each time, but days
and PNRs in them move. `python -m tests.browser.screenshots staff` keeps those alone whose names
begin so.
"""

import os
import secrets
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from config.embedded.places import CHECKOUT
from tests.browser.chrome import DESK, FLAGS, PHONE, chromium

TARGET = CHECKOUT / "docs" / "screenshots"
LOOKS: dict[str, tuple[ViewportSize, str]] = {
    "light": (DESK, "light"),
    "dark": (DESK, "dark"),
    "phone": (PHONE, "light"),
}
PASSWORD = "monsoon-Express-11057"
JPEG_QUALITY = 82
TODAY = datetime.now(UTC).date()
TUESDAY = TODAY + timedelta(days=2 + (6 - TODAY.weekday()) % 7)  # a day on which every train runs


def main() -> int:
    path = chromium()
    if path is None:
        sys.stderr.write("no Chromium found: `make browsers`\n")
        return 1
    TARGET.mkdir(exist_ok=True)
    begins = sys.argv[1] if len(sys.argv) > 1 else ""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        for look, (size, scheme) in LOOKS.items():
            for name, page in shown(browser, size, scheme):
                if not name.startswith(begins):
                    continue
                page.mouse.move(0, 0)
                file = TARGET / f"{name}-{look}.jpg"
                page.screenshot(path=file, type="jpeg", quality=JPEG_QUALITY, animations="disabled")
                sys.stdout.write(f"{file.relative_to(CHECKOUT)} {file.stat().st_size // 1024} KB\n")
    return 0


def shown(browser: Browser, size: ViewportSize, scheme: str) -> Iterator[tuple[str, Page]]:
    """Each page once, by name, in the order of a journey."""
    base = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    context = browser.new_context(
        base_url=base,
        viewport=size,
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-IN",
    )
    page = context.new_page()
    yield from _searching(page)
    yield from _arriving(page)
    yield from _booking(page)
    yield from _looking_back(page)
    yield from _waiting(page)
    yield from _in_hindi(page)
    yield from _on_the_board(page)
    context.close()


def _searching(page: Page) -> Iterator[tuple[str, Page]]:
    for name, path in (
        ("landing", "/"),
        ("results", f"/search/?from=HBC&to=CRB&seats=2&date={TUESDAY}"),
        ("no-train", "/search/?from=HBC&to=HBS"),
        ("nothing-here", "/no/such/page/"),
        ("login", "/login/"),
        ("forgotten", "/password/"),
    ):
        page.goto(path)
        yield name, page
    for kind, travel_class in (("two-plus-two", "SEAT"), ("sleeper-bus", "BERTH")):
        page.goto(f"/search/?from=HBS&to=ORH&date={TUESDAY}")
        page.goto(_link(page, travel_class))
        yield f"seats-{kind}", page
    page.goto(f"/search/?from=HBC&to=PVP&date={TUESDAY}")
    page.goto(_link(page, "CC"))
    yield "seats-chair-car", page


def _link(page: Page, travel_class: str) -> str:
    found = page.locator(f'a.fare[href*="class={travel_class}&"]').first.get_attribute("href")
    assert found
    return found


def _arriving(page: Page) -> Iterator[tuple[str, Page]]:
    name = f"asha{secrets.token_hex(3)}"
    page.goto("/register/")
    for field, text in (
        ("username", name),
        ("email", f"{name}@example.org"),
        ("first_name", "Asha"),
        ("last_name", "Rao"),
        ("password", PASSWORD),
    ):
        page.fill(f"#{field}", text)
    yield "register", page
    page.click("form.card button")
    page.goto("/profile/travellers/new/")
    page.fill("#name", "Ravi Rao")
    page.fill("#birth_date", "1961-04-09")
    yield "traveller", page
    page.click("form.card button")


def _booking(page: Page) -> Iterator[tuple[str, Page]]:
    page.goto(f"/search/?from=HBC&to=CRB&seats=2&date={TUESDAY}")
    page.goto(_link(page, "2A"))
    yield "seats-2-tier", page
    page.goto(f"/search/?from=HBC&to=CRB&seats=2&date={TUESDAY}")
    seats = _link(page, "3A")
    page.goto(seats)
    for seat in page.locator("g.seat.is-free").all()[:2]:
        seat.click()
    yield "seats-3-tier", page
    page.click("#hold-button")
    page.select_option("#traveller-1", label="Ravi Rao")
    page.fill("#age-0", "34")
    yield "checkout", page
    page.goto(seats)
    yield "seats-held", page
    page.click("text=Finish booking")
    _name_both(page)
    page.click(".bill button")
    yield "payment", page
    _pay(page)
    yield "ticket", page


def _name_both(page: Page) -> None:
    page.fill("#age-0", "34")
    page.select_option("#traveller-1", label="Ravi Rao")


def _pay(page: Page) -> None:
    """From our page of the payment by the sandbox to the ticket."""
    page.click("text=Pay now")
    page.click("button.primary")
    page.wait_for_selector(".ticket")


def _looking_back(page: Page) -> Iterator[tuple[str, Page]]:
    ticket = page.url
    for name, path in (
        ("bookings", "/bookings/"),
        ("no-bookings", "/bookings/?show=past"),
        ("profile", "/profile/"),
        ("password", "/profile/password/"),
        ("change", f"{ticket}change/"),
    ):
        page.goto(path)
        yield name, page
    yield from _changing(page)
    page.goto(f"{ticket}cancel/")
    yield "cancel", page
    page.click("#quote .danger")
    yield "cancelled", page


def _changing(page: Page) -> Iterator[tuple[str, Page]]:
    """Other seats of the class, on the map; what they cost; and then not."""
    page.locator('input[name=where][value$=":3A"]').first.check()
    page.click("button[name=how]")
    page.wait_for_selector("g.seat[role=checkbox]")
    for seat in page.locator("g.seat.is-free").all()[4:6]:
        seat.click()
    yield "change-seats", page
    page.click("#hold-button")
    page.wait_for_selector(".bill")
    yield "change-sure", page
    page.click("text=Keep what I have")


def _waiting(page: Page) -> Iterator[tuple[str, Page]]:
    """Where a class is full, on a day of its own: the demo's traveller and this one hold it."""
    day = TUESDAY + timedelta(days=1)
    page.goto(f"/search/?from=HBS&to=ORH&date={day}")
    seats = _link(page, "BERTH")
    _fill(page, int(seats.split("/")[2]))
    page.goto(f"/search/?from=HBS&to=ORH&date={day}&seats=2")
    yield "results-full", page
    page.locator("a.fare-wait").first.click()
    yield "join", page
    page.click("main form .button")
    yield "entry", page
    page.goto("/waitlist/")
    yield "waitlist", page


def _fill(page: Page, departure: int) -> None:
    """Hold every berth, for three minutes."""
    api = f"{page.url.split('/search')[0]}/api/v1"
    made = page.request.post
    other = {"username": "school-class-7b", "password": PASSWORD}
    made(f"{api}/auth/register/", data={**other, "email": f"{other['username']}@example.org"})
    names = [("traveller", "seatlock-traveller"), (other["username"], PASSWORD)]
    for name, password in names:
        said = made(f"{api}/auth/login/", data={"username": name, "password": password}).json()
        headers = {"Authorization": f"Bearer {said['access']}"}
        for count in (6, 6, 6, 5, 4, 3, 2, 1):
            wish = {"departure": departure, "source": "HBS", "destination": "ORH"}
            wish |= {"travel_class": "BERTH", "count": count, "preference": "any"}
            made(f"{api}/reservations/lock/", data=wish, headers=headers)


def _in_hindi(page: Page) -> Iterator[tuple[str, Page]]:
    page.goto("/")
    page.click("button[value=hi]")
    yield "landing-hindi", page
    page.goto(f"/search/?from=HBC&to=CRB&seats=2&date={TUESDAY}")
    page.goto(_link(page, "SL"))
    yield "seats-hindi", page


def _on_the_board(page: Page) -> Iterator[tuple[str, Page]]:
    """As the demo's member of staff, after the sale above."""
    page.click("button[value=en]")
    departure = _sell_some(page)
    page.click("text=Sign out")
    page.goto("/login/?next=/staff/")
    page.fill("#username", "admin")
    page.fill("#password", "seatlock-admin")
    page.click("main form button")
    page.wait_for_selector("figure.chart canvas")
    yield "staff-today", page
    page.goto(f"/staff/departures/?day={TUESDAY + timedelta(days=1)}")
    yield "staff-departures", page
    page.locator(".strips a", has_text="GL-3").click()
    page.wait_for_selector("#panel-coaches")
    yield "staff-departure", page
    places = ("holds", "bookings", "waitlists", "payments", "demand", "calls", "health")
    for name in places:
        page.goto(f"/staff/{name}/")
        yield f"staff-{name}", page
    page.goto("/staff/bookings/")
    page.locator("#table-bookings a").first.click()
    page.wait_for_selector("#panel-trail")
    yield "staff-booking", page
    yield from _another_vehicle(page, departure)
    for name, path in (("admin", "/admin/"), ("admin-fares", "/admin/trains/faretable/")):
        page.goto(path)
        yield name, page


def _sell_some(page: Page) -> str:
    """Two berths sold and one held on a departure; its number."""
    page.goto(f"/search/?from=HBC&to=CRB&seats=2&date={TUESDAY}")
    seats = _link(page, "SL")
    for picks in (2, 1):
        page.goto(seats)
        page.wait_for_selector("g.seat[role=checkbox]")
        for seat in page.locator("g.seat.is-free").all()[:picks]:
            seat.click()
        page.click("#hold-button")
        page.wait_for_selector("#age-0")
        if picks == 2:
            _name_both(page)
            page.click(".bill button")
            _pay(page)
    return seats.split("/")[2]


def _another_vehicle(page: Page, departure: str) -> Iterator[tuple[str, Page]]:
    """Coach S1 does not run: planned, looked at, dropped."""
    page.goto(f"/staff/departures/{departure}/reseatings/")
    page.select_option("select[name=vehicle-S1]", "-")
    page.fill("#reason", "A brake of S1 is stuck")
    yield "staff-reseatings", page
    page.click("text=Make a plan")
    page.wait_for_selector("#table-moves")
    yield "staff-reseating", page
    page.fill("#drop-reason", "The brake is free again")
    page.click("text=Drop the plan")


if __name__ == "__main__":
    sys.exit(main())
