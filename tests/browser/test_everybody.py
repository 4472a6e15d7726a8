"""For everyone: without a mouse, without JavaScript, on a phone, in Hindi, in the dark."""

import re
from datetime import timedelta

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from config import clock
from reservations.models import Booking
from reservations.waitlist.models import Entry
from tests.browser.conftest import Open
from tests.browser.surfing import Surfer, moved
from users.models import User

Rules = dict[str, list[str]]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RULES: Rules = {"runOnly": [*WCAG, "best-practice"]}
CONTRAST: Rules = {"runOnly": ["color-contrast"]}


def test_a_seat_is_booked_by_keyboard_alone(surf: Open) -> None:
    asha = surf("asha")
    page = asha.page
    asha.see_seats()
    asha.seat("S1-1").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator("g.seat.is-picked")).to_have_count(1)
    tab_to(page, "Hold these seats")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Who travels?")).to_be_visible()
    page.locator("#name-0").focus()
    page.keyboard.type("Asha Rao")
    page.keyboard.press("Tab")
    page.keyboard.type("34")
    tab_to(page, "Go on to payment")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Pay now")).to_be_visible()


def tab_to(page: Page, name: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"Tab does not lead to {name}")


def test_the_first_tab_skips_to_the_page(surf: Open) -> None:
    page = surf().page
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_without_javascript_one_searches_books_and_cancels(surf: Open) -> None:
    asha = surf("asha", java_script_enabled=False)
    page = asha.page
    page.goto("/")
    page.get_by_label("From", exact=True).fill("AAA")
    page.get_by_label("To", exact=True).fill("CCC")
    page.get_by_role("button", name="Find trains").click()
    page.goto(asha.seats_url)
    page.get_by_label("Travellers").select_option("2")
    page.get_by_role("button", name="Hold the best seats").click()
    asha.name_passengers("Asha", "Ravi")
    page.get_by_role("button", name="Go on to payment").click()
    page.get_by_role("link", name="Pay now").click()
    page.get_by_role("button", name="Pay", exact=True).click()
    expect(page.locator(".ticket")).to_be_visible()  # the page looks again by itself
    page.get_by_role("link", name="Cancel…").click()
    page.get_by_role("button", name="Cancel the booking").click()
    expect(page.get_by_text("The booking is cancelled.")).to_be_visible()
    assert Booking.objects.get().status == "cancelled"


def test_without_javascript_seats_are_ticked_in_the_list(surf: Open) -> None:
    page = surf("asha", java_script_enabled=False).page
    page.goto(surf().seats_url)
    page.get_by_role("checkbox", name=re.compile("^3 ")).check()
    page.get_by_role("button", name="Hold these seats").click()
    expect(page.locator(".hold-what strong")).to_have_text("S1-3")


def test_a_phone_shows_every_page_whole_and_nothing_moves(surf: Open) -> None:
    asha = surf("asha", phone=True)
    for path in paths(asha):
        asha.page.goto(path)
        width = asha.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, path
        assert not moved(asha.page)
    asha.see_seats()
    asha.seat("S1-1").tap()
    expect(asha.page.locator("#picked")).to_contain_text("S1-1")
    before = asha.seat("S1-2").bounding_box()
    asha.page.get_by_role("button", name="Larger").tap()
    after = asha.seat("S1-2").bounding_box()
    assert before
    assert after
    assert after["width"] > before["width"] * 1.1


def test_axe_finds_nothing_and_nothing_moves_on_any_page(surf: Open) -> None:
    asha, stranger = surf("asha", reduced_motion="reduce"), surf()
    pnr = asha.book("S1-5")
    found = [judge(asha.page, "")]
    found += [judge(asha.page, f"/bookings/{pnr}/{what}/") for what in ("cancel", "change")]
    found += [judge(stranger.page, path) for path in ("/login/", "/register/", "/password/")]
    asha.hold("S1-1")
    found.append(judge(asha.page, ""))
    found += [judge(asha.page, path) for path in (*paths(asha), entry_of(asha))]
    found.append(judge_picking(asha, RULES))
    assert "".join(found) == ""


def test_axe_finds_enough_contrast_in_the_dark(surf: Open) -> None:
    asha = surf("asha", color_scheme="dark", reduced_motion="reduce")
    asha.hold("S1-1")
    found = [judge(asha.page, "", CONTRAST)]
    some = ("/", "/search/?from=AAA&to=CCC", "/search/?from=nowhere&to=", "/profile/")
    found += [judge(asha.page, path, CONTRAST) for path in some]
    found.append(judge_picking(asha, CONTRAST))
    assert "".join(found) == ""


def entry_of(surfer: Surfer) -> str:
    """The page of a place on the waitlist."""
    entry = Entry.objects.create(
        owner=User.objects.get(username="asha"),
        departure_id=surfer.departure,
        from_stop=0,
        to_stop=1,
        travel_class="SL",
        count=2,
        closes_at=clock.now() + timedelta(hours=1),
    )
    return f"/waitlist/{entry.key}/"


def judge_picking(surfer: Surfer, rules: Rules) -> str:
    """The seats, with one picked and the list open."""
    surfer.see_seats()
    surfer.seat("S1-2").click()
    surfer.page.locator("[data-list] summary").click()
    return judge(surfer.page, "", rules)


def paths(surfer: Surfer) -> list[str]:
    return [
        "/",
        "/search/?from=AAA&to=CCC",
        "/search/?from=nowhere&to=",
        surfer.seats_url,
        "/bookings/",
        "/bookings/?show=past",
        "/waitlist/",
        surfer.seats_url.replace("?", "waitlist/?"),
        "/profile/",
        "/profile/password/",
        "/profile/travellers/new/",
        "/no/such/page/",
    ]


def judge(page: Page, path: str, rules: Rules = RULES) -> str:
    """What axe finds on a page, and what moves on it; "" for nothing."""
    if path:
        page.goto(path)
    moves = moved(page)
    result = Axe().run(page, options=rules)
    lines = [
        f"{page.url}: {each['id']}: {[node['html'][:160] for node in each['nodes'][:3]]}\n"
        for each in result.response["violations"]
    ]
    return moves + "".join(lines)


def test_the_page_is_read_in_hindi_and_in_the_dark(surf: Open) -> None:
    page = surf().page
    page.goto("/login/")
    page.get_by_role("button", name="हिन्दी").click()
    expect(page.get_by_role("heading", name="साइन इन")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "hi"
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="गहरा").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_recent_searches_are_offered_again(surf: Open) -> None:
    page = surf().page
    page.goto("/search/?from=AAA&to=CCC")
    page.goto("/")
    page.get_by_role("link", name="Aaa Junction (AAA) → Ccc Junction (CCC)").click()
    expect(page.locator("#from")).to_have_value("Aaa Junction (AAA)")


def test_who_is_offline_is_told(surf: Open) -> None:
    page = surf().page
    page.goto("/")
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline.")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("You are offline.")).to_be_hidden()
