"""The second half of the tour: paid in the sandbox, a ticket, a seat given back, and who waited."""

import secrets
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.tour import show
from tests.tour.doors import TIMEOUT_SECONDS, Api, TourFailed
from tests.tour.patience import awaited, expect

TRAIN: Final = "TOUR"
SMALL: Final = {
    "number": TRAIN,
    "name": "Two Seats Express",
    "source": "Tour North",
    "destination": "Tour South",
    "capacity": 2,
}
# So far ahead that cancelling is free by the rules that are shipped.
FREE_DAYS: Final = range(3, 59)


def account() -> Api:
    """A new account, signed in."""
    api = Api()
    name, password = f"guest-{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    who = {"username": name, "email": f"{name}@example.org", "password": password}
    api.quietly("POST", "auth/register/", dict(who))
    show.asked("POST /api/v1/auth/register/")
    show.asked("POST /api/v1/auth/login/")
    told = api.quietly("POST", "auth/login/", {"username": name, "password": password})
    api.access = told["access"]
    show.said(f"signed in as {name}")
    return api


def buy(api: Api, wish: dict[str, Any]) -> dict[str, Any]:
    """Lock, pay on the sandbox's page, and wait for the booking the payment becomes."""
    hold = api.post("reservations/lock/", **wish)
    show.said(f"{', '.join(hold['seats'])} held, {hold['fare']['amount']} to pay")
    payment = api.post("payments/", hold=hold["hold"], provider="sandbox")
    press_pay(payment["next"]["url"])
    path = f"payments/{payment['payment']}/"
    show.asked(f"GET /api/v1/{path}")

    def booked() -> str | None:
        told = api.quietly("GET", path)
        return told["booking"]["pnr"] if told.get("booking") else None

    pnr = awaited(booked, "the gateway's webhook makes the booking; does the worker run?")
    booking: dict[str, Any] = api.get(f"reservations/bookings/{pnr}/")
    show.said(f"{pnr}: {booking['status']}, {', '.join(booking['seats'])}")
    return booking


def press_pay(url: str) -> None:
    """What a payer does on the sandbox's page; it sends us on, and we stay."""
    show.asked(f"curl -d answer=pay {url}")

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        with urllib.request.build_opener(Stay).open(url, b"answer=pay", TIMEOUT_SECONDS):
            pass
    except urllib.error.HTTPError as answer:
        if answer.code != 302:
            raise TourFailed(f"{url}: {answer.code}") from None


def show_ticket(api: Api, staff: Api, pnr: str) -> None:
    """The ticket, and what the gate says of it, the first and the second time."""
    ticket = api.get(f"tickets/{pnr}/")
    for name in ("ticket_number", "validity_status", "seats", "passengers"):
        show.said(f"{name}: {ticket[name]}")
    show.said(f"token: {ticket['token'][:60]}…")
    first = staff.post("tickets/verify/", token=ticket["token"])
    again = staff.quietly("POST", "tickets/verify/", {"token": ticket["token"]})
    expect(first["valid"], f"a ticket that lets in, not {first['reason']}")
    expect(again["reason"] == "already-boarded", "a second use that is told")
    show.said(f"shown at the gate: in; shown again: {again['reason']}")


def give_back(api: Api, booking: dict[str, Any]) -> None:
    """One seat of the booking: what it gives back is told before, and goes through the gateway."""
    pnr, seat = booking["pnr"], booking["seats"][0]
    quoted = api.get(f"reservations/bookings/{pnr}/cancel/", seats=seat)
    done = api.post(f"reservations/bookings/{pnr}/cancel/", seats=[seat])
    show.document(done)
    expect(done["refund"] == quoted["refund"], f"the refund that was quoted: {quoted['refund']}")
    expect(done["status"] == "confirmed", "a booking that goes on with its other seat")
    path = f"reservations/bookings/{pnr}/"
    show.asked(f"GET /api/v1/{path}")

    def settled() -> dict[str, Any] | None:
        told: dict[str, Any] = api.quietly("GET", path)["cancellation"]
        return told if told["refund"]["status"] in {"done", "none"} else None

    show.document(awaited(settled, "the refund; does the worker run?"))


def promote(staff: Api, first: Api) -> None:
    """Both seats of a small train are sold; who waits for one gets it when it is given back."""
    wish = _small_train(staff)
    booking = buy(first, {**wish, "count": 2})
    second = account()
    waits = second.post("reservations/lock/", **wish, count=1, on_full="waitlist")
    show.document(waits)
    expect(waits["position"] == 1, "the first place in the queue")
    seat = booking["seats"][0]
    first.post(f"reservations/bookings/{booking['pnr']}/cancel/", seats=[seat])
    path = f"reservations/waitlist/{waits['entry']}/"
    show.asked(f"GET /api/v1/{path}")

    def offered() -> dict[str, Any] | None:
        entry: dict[str, Any] = second.quietly("GET", path)
        return entry["offer"] if entry["status"] == "offered" else None

    offer = awaited(offered, "an offer to who waits; does the worker run?")
    expect(offer["seats"] == [seat], f"{seat}, which was given back")
    show.said(f"{seat} is held for who waited, until {offer['expires_at']}")
    taken = second.post("reservations/confirm/", hold=offer["hold"])
    expect(taken["status"] == "confirmed", "a booking of the offer")
    show.said(f"{taken['pnr']}: {', '.join(taken['seats'])}")
    for api, pnr in ((first, booking["pnr"]), (second, taken["pnr"])):  # for the next tour
        api.quietly("POST", f"reservations/bookings/{pnr}/cancel/", {})


def _small_train(staff: Api) -> dict[str, Any]:
    """A wish for seats of the first departure of the small train that has both free."""
    known = staff.quietly("GET", f"trains/?q={TRAIN}")["results"]
    if not any(train["number"] == TRAIN for train in known):
        staff.post("trains/", **SMALL)
    train = staff.quietly("GET", f"trains/{TRAIN}/")
    ends = {"source": train["stops"][0]["station"], "destination": train["stops"][1]["station"]}
    for days in FREE_DAYS:
        day = (datetime.now(UTC) + timedelta(days=days)).date()
        rows = staff.quietly(
            "GET",
            f"departures/search/?source={ends['source']}&destination={ends['destination']}"
            f"&date={day}&seats=2",
        )["results"]
        if rows and rows[0]["free"] == 2:
            travel_class = rows[0]["classes"][0]["travel_class"]
            return {"departure": rows[0]["departure"], **ends, "travel_class": travel_class}
    raise TourFailed(f"no departure of {TRAIN} is empty")
