"""The tour itself, from a stranger to a booking, and to what every store remembers of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from config.stores import keys
from tests.tour import show
from tests.tour.doors import Api, TourFailed, audit_database, base_url, shell
from tests.tour.money import account, buy, give_back, promote, show_ticket
from tests.tour.patience import awaited, expect
from tests.tour.stretches import DAYS_AHEAD, Stretch, chosen

STAFF = {"username": "admin", "password": "seatlock-admin"}
PARTY = 2


@dataclass(frozen=True)
class Found:
    """A departure with room for the party, and the class to travel in."""

    row: dict[str, Any]
    travel_class: str

    @property
    def departure(self) -> int:
        return int(self.row["departure"])


def walk(feed: str) -> None:
    """All steps, in order. Raises `TourFailed` at the first that goes wrong."""
    show.said(f"Seatlock at {base_url()}")
    show.step("A stranger makes an account and logs in")
    api = account()
    show.step("Search")
    found = search(api, chosen(api, feed))
    show.step(f"Lock {PARTY} seats, together if possible: they are ours for three minutes")
    hold = lock(api, found)
    show.step("The hold, as whoever is on call sees it with redis-cli")
    look_into_redis(found, hold)
    show.step("Confirm: the hold becomes a booking")
    booking = confirm(api, hold)
    show.step("The booking in PostgreSQL")
    look_into_postgresql(booking)
    show.step("The facts in MongoDB, each one document")
    look_into_mongodb(hold, booking)
    show.step("What staff see: the routes searched and booked most")
    staff = signed_in_staff()
    top_routes(staff, booking)
    show.step("The ticket, and the gate")
    show_ticket(api, staff, booking["pnr"])
    show.step("Two more seats, paid on the page of the sandbox")
    paid = buy(api, wish_of(found))
    show.step("One of them is given back: told before, then paid back through the gateway")
    give_back(api, paid)
    show.step("A train with two seats is full: who waits gets the seat that is given back")
    promote(staff, api)
    show.done(f"{booking['pnr']} is booked, and every store agrees.")


def search(api: Api, stretch: Stretch) -> Found:
    """The first departure of the next two weeks with room for the party."""
    for days in DAYS_AHEAD:
        day = (datetime.now(UTC) + timedelta(days=days)).date()
        page = api.get(
            "departures/search/",
            source=stretch.source,
            destination=stretch.destination,
            date=day,
            seats=PARTY,
        )
        found = [choice for row in page["results"] if (choice := _with_room(row))]
        if found:
            _show_rows(page["results"])
            return found[0]
    raise TourFailed(f"no seats from {stretch.source} to {stretch.destination} in two weeks")


def _with_room(row: dict[str, Any]) -> Found | None:
    """A reserved class first: sleepers are what people travel overnight in."""
    roomy = [each["travel_class"] for each in row["classes"] if each["free"] >= PARTY]
    best = [each for each in ("SL", "3A", "CC") if each in roomy] + roomy
    return Found(row, best[0]) if best else None


def _show_rows(rows: list[dict[str, Any]]) -> None:
    show.table(
        ("departure", "train", "leaves", "arrives", "classes: free, fare"),
        [
            (
                row["departure"],
                f"{row['train']['number']} {row['train']['name']}",
                row["source"]["departs_at"],
                row["destination"]["arrives_at"],
                "; ".join(
                    f"{each['travel_class']} {each['free']}, {each['fare']['amount']}"
                    for each in row["classes"]
                ),
            )
            for row in rows
        ],
    )


def wish_of(found: Found) -> dict[str, Any]:
    """What a lock for the party asks for."""
    return {
        "departure": found.departure,
        "source": found.row["source"]["code"],
        "destination": found.row["destination"]["code"],
        "travel_class": found.travel_class,
        "count": PARTY,
        "preference": "together",
    }


def lock(api: Api, found: Found) -> dict[str, Any]:
    hold: dict[str, Any] = api.post("reservations/lock/", **wish_of(found))
    show.document({name: value for name, value in hold.items() if name != "capability"})
    expect(len(hold["seats"]) == PARTY, f"{PARTY} seats, not {hold['seats']}")
    return hold


def look_into_redis(found: Found, hold: dict[str, Any]) -> None:
    pattern = f"{keys.of(found.departure, 'seat')}:*"
    names = shell("redis-cli", "--scan", "--pattern", pattern.replace("{", "\\{")).split()
    ours = [name for name in names if shell("redis-cli", "GET", name) == hold["hold"]]
    for name in ours:
        show.said(name)
    expect(len(ours) == PARTY, f"one key for each seat, not {ours}")
    name = keys.of(found.departure, "hold", hold["hold"])
    seconds = int(shell("redis-cli", "TTL", name))
    show.said(f"{seconds} seconds left")
    expect(0 < seconds <= hold["expires_in_seconds"] + 1, "a time to live of three minutes")
    lines = shell("redis-cli", "HGETALL", name).splitlines()
    show.table(("field", "value"), list(zip(lines[::2], lines[1::2], strict=True)))


def confirm(api: Api, hold: dict[str, Any]) -> dict[str, Any]:
    people = [{"name": "Asha Rao", "age": 31}, {"name": "Ravi Rao", "age": 33}]
    booking: dict[str, Any] = api.post(
        "reservations/confirm/", hold=hold["hold"], passengers=people
    )
    show.document(booking)
    expect(booking["status"] == "confirmed", "a confirmed booking")
    expect(sorted(booking["seats"]) == sorted(hold["seats"]), "the seats that were held")
    again = api.post("reservations/confirm/", hold=hold["hold"])
    expect(again["pnr"] == booking["pnr"], "the same booking when asked again")
    show.said(f"asked again: {again['pnr']}, the same booking")
    return booking


def look_into_postgresql(booking: dict[str, Any]) -> None:
    pnr = booking["pnr"]
    rows = shell(
        "psql",
        "-c",
        "SELECT b.pnr, b.status, s.number, c.label AS coach, w.legs, b.fare"  # noqa: S608  # a PNR
        " FROM reservations_booking b JOIN reservations_bookedseat w ON w.booking_id = b.id"
        " JOIN trains_seat s ON s.id = w.seat_id JOIN trains_coach c ON c.id = s.coach_id"
        f" WHERE b.pnr = '{pnr}' ORDER BY w.seat_id",
    )
    for line in rows.splitlines():
        show.said(line)
    expect(rows.count(pnr) == PARTY, "a row for each seat")


def look_into_mongodb(hold: dict[str, Any], booking: dict[str, Any]) -> None:
    facts = audit_database()["facts"]
    wanted = {"hold.held", "booking.confirmed"}

    def story() -> list[dict[str, Any]] | None:
        found = list(facts.find({"hold": hold["hold"]}).sort([("stage", 1), ("number", 1)]))
        return found if wanted <= {fact["kind"] for fact in found} else None

    show.asked(f'db.facts.find({{"hold": "{hold["hold"]}"}})')
    found = awaited(story, "hold and booking in MongoDB; does the worker run?")
    for fact in found:
        show.document({name: fact[name] for name in ("_id", "kind", "stage", "at", "body")})
    expect(len(found) == len(wanted), f"one document for each fact of {booking['pnr']}")


def signed_in_staff() -> Api:
    staff = Api()
    staff.access = staff.quietly("POST", "auth/login/", dict(STAFF))["access"]
    return staff


def top_routes(staff: Api, booking: dict[str, Any]) -> None:
    here = booking["source"]["code"], booking["destination"]["code"]
    for by in ("searches", "bookings"):
        show.asked(f"GET /api/v1/analytics/top-routes/?by={by}")

        def counted(by: str = by) -> list[dict[str, Any]] | None:
            routes: list[dict[str, Any]] = staff.quietly(
                "GET", f"analytics/top-routes/?by={by}&limit=100"
            )
            known = {(each["source"], each["destination"]) for each in routes}
            return routes if here in known else None

        routes = awaited(counted, f"{here[0]} to {here[1]} among the {by}")
        show.table(
            ("from", "to", by),
            [(each["source"], each["destination"], each["count"]) for each in routes[:5]],
        )
