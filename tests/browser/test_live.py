"""Seats change under the eye: by the socket, by asking where it is gone, by the socket again."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from reservations.services.release_hold import release_hold_as_staff
from tests.browser.conftest import Open
from tests.browser.surfing import Surfer
from tests.live.server import Live

HELD, FREE = re.compile("is-held"), re.compile("is-free")


def hold_of(surfer: Surfer) -> str:
    return surfer.page.url.rstrip("/").rpartition("/")[2]


def test_a_hold_given_back_by_staff_is_seen_at_once(surf: Open) -> None:
    asha, ravi = surf("asha"), surf("ravi")
    ravi.hears_by_socket_alone()
    asha.hold("S1-6")
    ravi.see_seats()
    expect(ravi.seat("S1-6")).to_have_class(HELD)
    release_hold_as_staff(actor=1, sid="none", hold=hold_of(asha), reason="a stuck hold")
    expect(ravi.seat("S1-6")).to_have_class(FREE)
    expect(ravi.page.locator('a[data-coach="S1"] [data-free]')).to_have_text("8")


def test_a_sale_and_a_cancellation_are_seen_at_once(surf: Open) -> None:
    asha, ravi = surf("asha"), surf("ravi")
    ravi.hears_by_socket_alone()
    ravi.see_seats()
    pnr = asha.book("S1-2")
    expect(ravi.seat("S1-2")).to_have_class(re.compile("is-sold"))
    asha.page.goto(f"/bookings/{pnr}/cancel/")
    asha.page.get_by_role("button", name="Cancel the booking").click()
    expect(ravi.seat("S1-2")).to_have_class(FREE)


@pytest.fixture
def mended(sockets: Live) -> Iterator[Live]:
    yield sockets
    if sockets.process is None:
        sockets.start()


def test_the_page_goes_on_when_the_sockets_die_and_come_back(surf: Open, mended: Live) -> None:
    asha, ravi = surf("asha"), surf("ravi")
    ravi.see_seats()
    mended.kill()
    asha.hold("S1-6")
    expect(ravi.seat("S1-6")).to_have_class(HELD)  # it asks by itself
    mended.start()
    with ravi.page.expect_websocket():  # which it tries less and less often, and when told to
        ravi.page.evaluate("dispatchEvent(new Event('online'))")
    ravi.hears_by_socket_alone()
    asha.page.get_by_role("button", name="Let go").click()
    expect(ravi.seat("S1-6")).to_have_class(FREE)
