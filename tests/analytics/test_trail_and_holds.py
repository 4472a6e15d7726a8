"""The trail, and live holds: seen by staff, and freed by them with a reason that is kept."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from pymongo.database import Database

from config.outbox.models import OutboxEvent
from tests.analytics.travelling import book, lock, ship
from tests.availability import railway
from tests.engine import Traveller
from trains.models import Departure

Mongo = Database[dict[str, Any]]
TimePasses = Callable[[float], AbstractContextManager[None]]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("streams")]


def test_only_staff_free_a_hold(anna: Traveller, departure: Departure) -> None:
    hold = lock(anna, departure, "S1-1")
    answer = anna.post(f"operations/holds/{hold}/release/", {"reason": "mine"})
    assert answer.status_code == 403
    assert anna.get(f"reservations/holds/{hold}/").status_code == 200


def test_live_holds_of_everybody_are_listed_soonest_deadline_first(
    controller: Traveller, anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    other = railway.departure(departure.train, days_ahead=5)
    holds = [
        lock(anna, departure, "S1-1", "S1-2"),
        lock(bela, other, "S1-1"),
        lock(bela, departure, "S1-3"),
    ]
    page = controller.get("operations/holds/").json()
    assert (page["count"], page["next"]) == (3, None)
    assert [row["hold"] for row in page["results"]] == holds
    first = page["results"][0]
    assert (first["user"], first["departure"]) == (anna.user.pk, departure.pk)
    assert (first["source"], first["destination"]) == ("AAA", "EEE")
    assert (first["seats"], first["status"]) == (["S1-1", "S1-2"], "held")
    assert first["taken_at"] < first["expires_at"]

    def found(**query: Any) -> list[str]:
        rows = controller.get("operations/holds/", **query).json()["results"]
        return [row["hold"] for row in rows]

    assert found(departure=other.pk) == [holds[1]]
    assert found(user="bela") == found(user=bela.user.pk) == holds[1:]
    assert found(user="BELA@example.org", departure=departure.pk) == [holds[2]]
    assert found(user="nobody-of-that-name") == []
    assert found(limit=1, offset=1) == [holds[1]]


def test_a_hold_that_ran_out_is_neither_listed_nor_counted(
    controller: Traveller, anna: Traveller, departure: Departure, time_passes: TimePasses
) -> None:
    lock(anna, departure, "S1-1")
    assert controller.get("operations/holds/").json()["count"] == 1
    with time_passes(181):
        assert controller.get("operations/holds/").json()["count"] == 0


def test_a_stuck_hold_is_freed_with_a_reason_that_is_kept(
    mongo: Mongo, controller: Traveller, anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    hold = lock(anna, departure, "S1-1")
    answer = controller.post(f"operations/holds/{hold}/release/", {"reason": "rang us"})
    assert answer.status_code == 200
    assert answer.json() == {"hold": hold, "status": "released", "reason": "rang us"}
    lock(bela, departure, "S1-1")

    ship()
    assert mongo.facts.count_documents({"hold": hold}) == 3
    page = controller.get("operations/audit/", hold=hold).json()
    assert [fact["kind"] for fact in page["results"]] == [
        "hold.held", "hold.released", "staff.hold-released",
    ]  # fmt: skip
    released, staff = page["results"][1:]
    assert released["body"] == {"by": "staff", "reason": "rang us"}
    assert staff["body"] == {"reason": "rang us"}
    for fact in (released, staff):
        assert (fact["user"], fact["actor"]) == (anna.user.pk, controller.user.pk)
    theirs = controller.get("operations/audit/", user="controller").json()
    assert theirs["results"] == [released, staff]
    narrowed = controller.get("operations/audit/", user="controller", hold=hold).json()
    assert narrowed["results"] == [released, staff]


def test_a_release_that_is_refused_leaves_no_fact(
    controller: Traveller, anna: Traveller, departure: Departure
) -> None:
    hold = lock(anna, departure, "S1-1")
    path = f"operations/holds/{hold}/release/"
    no_reason = controller.post(path, {"reason": " "})
    assert (no_reason.status_code, list(no_reason.json()["errors"])) == (400, ["reason"])
    assert controller.post(path).status_code == 400
    assert controller.post(path, {"reason": "x" * 201}).status_code == 400
    assert controller.post(path, {"reason": "first"}).status_code == 200
    again = controller.post(path, {"reason": "again"})
    assert (again.status_code, again.json()["code"]) == (410, "hold-expired")
    unknown = controller.post("operations/holds/nothing/release/", {"reason": "x"})
    assert unknown.status_code == 404

    booked = book(anna, departure, "S1-2")["hold"]
    answer = controller.post(f"operations/holds/{booked}/release/", {"reason": "x"})
    assert answer.json()["code"] == "hold-expired"
    assert OutboxEvent.objects.filter(kind="staff.hold-released").count() == 1


def test_the_trail_of_a_booking_is_one_story_by_hold_and_by_pnr(
    mongo: Mongo, controller: Traveller, anna: Traveller, departure: Departure
) -> None:
    assert mongo.name
    hold = lock(anna, departure, "S1-1")
    anna.post(f"reservations/holds/{hold}/extend/")
    pnr = anna.post("reservations/confirm/", {"hold": hold}).json()["pnr"]
    anna.post(f"reservations/bookings/{pnr}/cancel/")
    book(anna, departure, "S1-2")
    ship()

    by_hold = controller.get("operations/audit/", hold=hold).json()
    by_pnr = controller.get("operations/audit/", pnr=pnr.lower()).json()
    assert by_hold["results"] == by_pnr["results"]
    assert by_hold["count"] == len(by_hold["results"])
    kinds = [fact["kind"] for fact in by_hold["results"]]
    assert kinds[0] == "hold.held"
    assert kinds[-2:] == ["booking.confirmed", "booking.cancelled"]
    order = [(fact["stage"], fact["number"]) for fact in by_hold["results"]]
    assert order == sorted(order)

    part = controller.get("operations/audit/", pnr=pnr, limit=1, offset=1).json()
    assert part["results"] == by_pnr["results"][1:2]
    assert (part["count"], bool(part["next"]), bool(part["previous"])) == (
        by_pnr["count"], True, True,
    )  # fmt: skip
    assert controller.get("operations/audit/", pnr="NOSUCHPNR").json()["count"] == 0


def test_the_trail_of_a_user_goes_story_by_story_the_latest_first(
    mongo: Mongo, controller: Traveller, anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    assert mongo.name
    first = book(anna, departure, "S1-1")["hold"]
    lock(bela, departure, "S1-3")
    second = lock(anna, departure, "S1-2")
    anna.delete(f"reservations/holds/{second}/")
    ship()

    page = controller.get("operations/audit/", user="anna").json()
    assert [(fact["hold"], fact["kind"]) for fact in page["results"]] == [
        (second, "hold.held"),
        (second, "hold.released"),
        (first, "hold.held"),
        (first, "booking.confirmed"),
    ]
    rest = controller.get("operations/audit/", user=anna.user.pk, offset=3).json()
    assert (rest["count"], rest["results"]) == (4, page["results"][3:])
    both = controller.get("operations/audit/", hold=first, user="bela").json()
    assert both["count"] == 0


def test_a_trail_of_nobody_is_refused(controller: Traveller) -> None:
    answer = controller.get("operations/audit/")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
