"""What staff see and do, over HTTP, with holds and bookings made by travellers."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pymongo.database import Database

from config import clock
from config.http.request_log import STREAM
from config.outbox.models import OutboxEvent
from reservations.models import Booking
from tests.analytics.travelling import book, lock, ship
from tests.availability import railway
from tests.engine import Traveller
from trains.models import Departure

Mongo = Database[dict[str, Any]]
TimePasses = Callable[[float], AbstractContextManager[None]]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("streams")]

CALLS = (
    "analytics/top-routes/",
    "analytics/funnel/",
    "analytics/latency/",
    "analytics/occupancy/",
    "analytics/demand/",
    "operations/bookings/",
    "operations/statistics/",
    "operations/dashboard/",
    "operations/holds/",
    "operations/audit/?user=1",
)


@pytest.mark.parametrize("path", CALLS)
def test_staff_calls_are_for_staff_alone(
    mongo: Mongo, anna: Traveller, controller: Traveller, path: str
) -> None:
    assert mongo.name
    answer = anna.get(path)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    anna.client.defaults.clear()
    answer = anna.get(path)
    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
    assert controller.get(path).status_code == 200


def test_bookings_of_everybody_are_found_by_what_staff_know(
    controller: Traveller, anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    other = railway.departure(departure.train, days_ahead=5)
    mine = book(anna, departure, "S1-1", "S1-2")
    hers = book(bela, other, "S1-1")
    bela.post(f"reservations/bookings/{hers['pnr']}/cancel/")
    Booking.objects.create(hold="never", departure=departure, status=Booking.Status.VOID)

    page = controller.get("operations/bookings/").json()
    assert page["count"] == 2
    assert [row["pnr"] for row in page["results"]] == [hers["pnr"], mine["pnr"]]
    row = page["results"][1]
    assert row.pop("user") == anna.user.pk
    assert row == mine

    def found(**query: Any) -> list[str]:
        rows = controller.get("operations/bookings/", **query).json()["results"]
        return [row["pnr"] for row in rows]

    assert found(pnr=mine["pnr"].lower()) == [mine["pnr"]]
    assert found(user="anna") == found(user=anna.user.pk) == [mine["pnr"]]
    assert found(departure=other.pk) == found(status="cancelled") == [hers["pnr"]]
    assert found(user="anna", status="cancelled") == []
    for wrong in ({"status": "void"}, {"departure": "x"}, {"departure": 2**63}, {"limit": 0}):
        assert controller.get("operations/bookings/", **wrong).status_code == 400
    assert found(user="9" * 30) == []


def test_a_page_of_bookings_costs_a_fixed_number_of_queries(
    controller: Traveller, anna: Traveller, departure: Departure
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert controller.get("operations/bookings/").status_code == 200
        return len(captured)

    book(anna, departure, "S1-1")
    few = queries()
    for seat in range(2, 8):
        book(anna, departure, f"S1-{seat}")
    assert queries() <= few


def test_statistics_add_up(
    controller: Traveller, anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    kept = book(anna, departure, "S1-1", "C1-1")
    cancelled = book(bela, departure, "S1-2")
    bela.post(f"reservations/bookings/{cancelled['pnr']}/cancel/")
    fare = kept["fare"]["amount"]

    found = controller.get("operations/statistics/").json()
    whole = {
        "bookings": 2, "cancelled": 1, "seats": 3, "revenue": fare, "currency": "INR",
    }  # fmt: skip
    assert found["totals"] == [whole]
    (day,) = found["by_day"]
    assert (day.pop("day") is not None, day) == (True, whole)
    assert found["by_train"] == [{"train": departure.train.number} | whole]
    assert [(row["status"], row["bookings"], row["seats"]) for row in found["by_status"]] == [
        ("cancelled", 1, 1),
        ("confirmed", 1, 2),
    ]
    assert found["by_class"] == [
        {"travel_class": "CC", "bookings": 1, "seats": 1, "cancelled_seats": 0},
        {"travel_class": "SL", "bookings": 2, "seats": 2, "cancelled_seats": 1},
    ]


def test_statistics_of_a_window_have_what_was_booked_in_it(
    controller: Traveller, anna: Traveller, departure: Departure
) -> None:
    book(anna, departure, "S1-1")
    tomorrow = (clock.now() + timedelta(days=1)).isoformat()
    later = controller.get(
        "operations/statistics/",
        since=tomorrow,
        until=(clock.now() + timedelta(days=2)).isoformat(),
    ).json()
    assert (later["totals"], later["by_day"], later["by_class"]) == ([], [], [])
    wrong = controller.get("operations/statistics/", since=tomorrow)
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["until"])
    dated = controller.get("operations/statistics/", since="2020-01-01").json()
    assert dated["totals"][0]["bookings"] == 1


def test_the_dashboard_counts_what_is_going_on(
    mongo: Mongo, controller: Traveller, anna: Traveller, departure: Departure
) -> None:
    kept = book(anna, departure, "S1-1")
    gone = book(anna, departure, "S1-2")
    anna.post(f"reservations/bookings/{gone['pnr']}/cancel/")
    lock(anna, departure, "S1-3")
    STREAM.flush()

    before = controller.get("operations/dashboard/").json()
    assert before["holds"] == {"live": 1, "confirming": 0}
    assert before["bookings"] == {
        "today": 2,
        "cancelled_today": 1,
        "revenue_today": [{"amount": kept["fare"]["amount"], "currency": "INR"}],
    }
    assert before["outbox_pending"] == OutboxEvent.objects.filter(shipped_at=None).count() > 0
    assert before["streams"]["hold_facts"] == 3
    assert before["streams"]["requests"] > 0
    assert {store["store"]: store["is_up"] for store in before["stores"]} == dict.fromkeys(
        ("postgresql", "redis", "broker", "mongodb"), True
    )

    ship()
    mongo.dead_letters.insert_one({"source": "x", "reason": "y", "at": clock.now()})
    after = controller.get("operations/dashboard/").json()
    assert (after["outbox_pending"], after["streams"]["hold_facts"]) == (0, 0)
    assert (after["sink"]["dead_letters"], after["sink"]["gaps"]) == (1, 0)
    assert after["sink"]["shipper_seen_at"] is not None


def test_reports_answer_in_the_words_of_the_contract(
    mongo: Mongo, controller: Traveller, anna: Traveller, departure: Departure
) -> None:
    assert mongo.name
    book(anna, departure, "S1-1")
    gone = book(anna, departure, "S1-2")["pnr"]
    anna.post(f"reservations/bookings/{gone}/cancel/")
    ship()
    routes = controller.get("analytics/top-routes/", by="bookings").json()
    assert routes == [{"source": "AAA", "destination": "EEE", "count": 2}]
    assert controller.get("analytics/top-routes/", by="bookings", since="2099-01-01").json() == []
    funnel = controller.get("analytics/funnel/").json()
    assert (funnel["held"], funnel["confirmed"], funnel["conversion"]) == (2, 2, 1.0)
    endpoints = {row["endpoint"] for row in controller.get("analytics/latency/").json()}
    assert {"reservations/lock/", "reservations/confirm/"} <= endpoints
    (row,) = controller.get("analytics/occupancy/").json()["results"]
    assert (row["departure"], row["seats_sold"], row["seats"], row["legs"]) == (
        departure.pk, 1, 16, 4,
    )  # fmt: skip
    demand = controller.get("analytics/demand/").json()
    assert (demand["time_zone"], demand["searches"], len(demand["by_hour"])) == (
        "Asia/Kolkata", 0, 24,
    )  # fmt: skip
    for wrong in ({"by": "luck"}, {"limit": 101}, {"limit": "x"}, {"since": "yesterday"}):
        answer = controller.get("analytics/top-routes/", **wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_search_counts_for_its_route_once_however_many_pages_are_read(
    mongo: Mongo, controller: Traveller, anna: Traveller, departure: Departure
) -> None:
    assert mongo.name
    asked = {"source": "aaa", "destination": "EEE", "date": departure.service_date.isoformat()}
    for page in ({}, {"limit": "1", "offset": "1"}):
        found = anna.get("departures/search/", **asked, **page)
        assert found.status_code == 200, found.content
    assert anna.get("departures/search/", **asked | {"source": "ZZZ"}).status_code == 400
    ship()
    routes = controller.get("analytics/top-routes/").json()
    assert routes == [{"source": "AAA", "destination": "EEE", "count": 1}]
    assert controller.get("analytics/demand/").json()["searches"] == 1


def test_the_log_says_who_called_and_by_which_route(
    mongo: Mongo, anna: Traveller, departure: Departure
) -> None:
    hold = lock(anna, departure, "S1-1")
    anna.get(f"reservations/holds/{hold}/")
    anna.get("auth/me/")
    ship()
    users = {document["endpoint"]: document["user"] for document in mongo.requests.find()}
    assert users == {
        "reservations/lock/": anna.user.pk,
        "reservations/holds/<str:hold>/": anna.user.pk,
        "auth/me/": anna.user.pk,
    }
