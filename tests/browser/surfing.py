"""What somebody does in a browser."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, Route, expect

from tests.pages.visiting import PASSWORD

RECORD = """(seat) => {
  seat.seen = [];
  new MutationObserver(() => {
    const status = seat.getAttribute("class").match(/is-\\w+/)[0];
    if (status !== seat.seen.at(-1)) seat.seen.push(status);
  }).observe(seat, { attributeFilter: ["class"] });
}"""

WATCH_SHIFTS = """
window.shifts = [];
window.noteShifts = (list) => window.shifts.push(...list.filter((each) => !each.hadRecentInput));
window.shiftObserver = new PerformanceObserver((list) => noteShifts(list.getEntries()));
window.shiftObserver.observe({ type: "layout-shift", buffered: true });
"""
READ_SHIFTS = """async () => {
  for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
  noteShifts(window.shiftObserver.takeRecords());
  return window.shifts.map(({ value, sources }) =>
    [value, sources.map(({ node }) => node && (node.id || node.className || node.nodeName))]);
}"""
SHIFT_MAX = 0.001
"""How much of a page may move by itself; 0.1 is what is commonly called good."""


def moved(page: Page) -> str:
    """What moved by itself on this page since it was opened, if that is worth a word."""
    shifts = page.evaluate(READ_SHIFTS)
    total = sum(value for value, _nodes in shifts)
    return f"{page.url}: {total:.4f} of it moved: {shifts}\n" if total > SHIFT_MAX else ""


@dataclass(frozen=True)
class Surfer:
    """A browser's page, and the departure it is about."""

    page: Page
    departure: int

    @property
    def seats_url(self) -> str:
        return f"/departures/{self.departure}/?from=AAA&to=CCC"

    def sign_in(self, name: str) -> None:
        self.page.goto("/login/")
        self.page.get_by_label("Username or e-mail").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("main").get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("link", name="My bookings")).to_be_visible()

    def see_seats(self) -> None:
        self.page.goto(self.seats_url)
        expect(self.seat("S1-1")).to_have_attribute("role", "checkbox")

    def hears_by_socket_alone(self) -> None:
        """What is asked now and then is answered with nothing."""
        self.page.route("**/states/**", lambda route: route.fulfill(status=204))

    def hears_nothing(self) -> None:
        """What happens elsewhere is not told."""
        self.page.route_web_socket(re.compile("/ws/"), lambda _socket: None)
        self.hears_by_socket_alone()

    def keep_back(self, *files: str) -> Callable[[], None]:
        """These scripts do not come until what is returned is called."""
        waiting: list[Route] = []

        def hold_back(route: Route) -> None:
            waiting.append(route)

        for file in files:
            self.page.route(f"**/static/web/{file}", hold_back)

        def let_come() -> None:
            for route in waiting:
                route.continue_()
            for file in files:
                self.page.unroute(f"**/static/web/{file}")

        return let_come

    def seat(self, label: str) -> Locator:
        return self.page.locator(f'g[data-seat="{label}"]')

    def record(self, label: str) -> Callable[[], list[str]]:
        """From now on, what becomes of a seat, however short it lasts."""
        self.seat(label).evaluate(RECORD)
        return lambda: list(self.seat(label).evaluate("(seat) => seat.seen"))

    def hold(self, *labels: str) -> None:
        """Pick in the picture and press the button; on the hold's page afterwards."""
        self.see_seats()
        for label in labels:
            self.seat(label).click()
        self.page.get_by_role("button", name="Hold these seats").click()
        expect(self.page.get_by_role("heading", name="Who travels?")).to_be_visible()

    def name_passengers(self, *names: str) -> None:
        for at, name in enumerate(names):
            self.page.locator(f"#name-{at}").fill(name)
            self.page.locator(f"#age-{at}").fill("34")

    def pay(self) -> None:
        """From the hold's page through the sandbox to the ticket."""
        self.page.get_by_role("button", name="Go on to payment").click()
        self.page.get_by_role("link", name="Pay now").click()
        self.page.get_by_role("button", name="Pay", exact=True).click()
        expect(self.page.locator(".ticket")).to_be_visible()

    def book(self, *labels: str) -> str:
        """Hold and pay; the PNR."""
        self.hold(*labels)
        self.name_passengers(*(f"Traveller {at}" for at in range(1, len(labels) + 1)))
        self.pay()
        return self.page.locator(".pnr").inner_text()
