"""No pick is lost: not one that was quicker than the scripts, nor when the page is drawn anew."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.surfing import Surfer

PICKED = re.compile("is-picked")
READY = "Boolean(window.Seatlock && window.Seatlock.seats)"


def go_without_waiting(surfer: Surfer) -> None:
    surfer.page.goto(surfer.seats_url, wait_until="commit")


def test_seats_pressed_before_the_script_came_are_picked(surf: Open) -> None:
    asha = surf("asha")
    let_come = asha.keep_back("seatmap.js")
    go_without_waiting(asha)
    for label in ("S1-1", "S1-2", "S1-3", "S1-2"):  # the second one is given up again
        asha.seat(label).click()
    expect(asha.seat("S1-1")).to_have_class(PICKED)
    assert asha.page.evaluate(READY) is False
    let_come()
    expect(asha.seat("S1-1")).to_have_attribute("aria-checked", "true")
    expect(asha.page.locator("#picked")).to_contain_text(re.compile(r"S1-1, S1-3 .*\d"))
    expect(asha.seat("S1-2")).to_have_class(re.compile("is-free"))
    asha.page.get_by_role("button", name="Hold these seats").click()
    expect(asha.page.locator(".hold-what strong")).to_have_text("S1-1, S1-3")


def test_seats_are_held_though_the_script_never_came(surf: Open) -> None:
    asha = surf("asha")
    asha.keep_back("seatmap.js")
    go_without_waiting(asha)
    asha.seat("S1-1").click()
    asha.seat("S1-3").click()
    asha.page.get_by_role("button", name="Hold these seats").click()
    expect(asha.page.locator(".hold-what strong")).to_have_text("S1-1, S1-3")


def test_another_coach_opened_before_the_scripts_came_keeps_the_picks(surf: Open) -> None:
    asha = surf("asha")
    let_come = asha.keep_back("vendor/htmx-2.0.11.min.js", "seatmap.js")
    go_without_waiting(asha)
    asha.seat("S1-1").click()
    asha.page.locator('a[data-coach="C1"]').click()  # an ordinary link as yet: a new page
    asha.seat("C1-2").click()
    let_come()
    expect(asha.page.locator("#picked")).to_contain_text("S1-1, C1-2")


def test_picks_outlive_a_reload_until_they_are_held(surf: Open) -> None:
    asha = surf("asha")
    asha.see_seats()
    asha.seat("S1-1").click()
    asha.page.reload()
    expect(asha.seat("S1-1")).to_have_class(PICKED)
    asha.page.get_by_role("button", name="Hold these seats").click()
    asha.page.get_by_role("button", name="Let go").click()
    expect(asha.page.locator(".holds")).to_have_count(0)
    asha.see_seats()
    expect(asha.page.locator("g.seat.is-picked")).to_have_count(0)


def test_picks_in_every_coach_come_back_with_a_refusal(surf: Open) -> None:
    winner, loser = surf("asha"), surf("ravi")
    loser.hears_nothing()
    loser.see_seats()
    loser.seat("S1-2").click()
    loser.page.locator('a[data-coach="C1"]').click()
    loser.seat("C1-2").click()
    winner.hold("S1-2")
    loser.page.get_by_role("button", name="Hold these seats").click()
    expect(loser.page.get_by_role("alert")).to_contain_text("S1-2")
    expect(loser.page.locator("#picked")).to_contain_text("C1-2")


def test_a_station_typed_before_the_script_came_is_looked_for(surf: Open) -> None:
    stranger = surf()
    let_come = stranger.keep_back("vendor/htmx-2.0.11.min.js")
    stranger.page.goto("/", wait_until="commit")
    stranger.page.get_by_label("From", exact=True).fill("aaa")
    let_come()
    expect(stranger.page.locator("#from-list option")).to_have_count(1)
