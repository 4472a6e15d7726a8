"""The staff board: who may see it, what it says, what may be done there."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from pymongo.errors import ServerSelectionTimeoutError

from config.outbox.models import OutboxEvent
from config.stores.mongo import audit_database
from reservations.services.cancel_departure import cancel_withdrawn
from tests.analytics.travelling import ship
from tests.engine import Traveller
from tests.pages.visiting import Visit, read, says
from tests.selling import Sale
from trains.models import Departure
from web.staff.tables import Column, Table, as_csv

pytestmark = pytest.mark.django_db

HTML = {"Accept": "text/html"}


def pages(sale: Sale) -> list[str]:
    """One address of each page of the board that is read."""
    return [
        "/staff/",
        "/staff/departures/",
        f"/staff/departures/?day={sale.departure.service_date}",
        f"/staff/departures/{sale.departure.pk}/",
        f"/staff/departures/{sale.departure.pk}/reseatings/",
        "/staff/holds/",
        "/staff/bookings/",
        f"/staff/bookings/{sale.booked['pnr']}/",
        "/staff/waitlists/",
        "/staff/payments/",
        "/staff/demand/",
        "/staff/calls/",
        "/staff/health/",
    ]


def table(visit: Visit, path: str, key: str, **query: str) -> list[dict[str, str]]:
    """A table of the board, by its CSV."""
    answer = visit.get(path, csv=key, **query)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_staff_see_every_page_and_nobody_else_does(sale: Sale, meera: Visit, ravi: Visit) -> None:
    ship()
    for path in pages(sale):
        assert meera.get(path).status_code == 200, path
        assert ravi.get(path).status_code == 403, path
        stranger = Client().get(path, headers=HTML)
        assert stranger.status_code == 302, path
        assert stranger["Location"].startswith("/login/?next="), path


def test_strangers_sign_in_before_they_change_anything(sale: Sale) -> None:
    """Who may do what once signed in: test_rights.py."""
    for path in (
        f"/staff/holds/{sale.hold['hold']}/release/",
        f"/staff/bookings/{sale.booked['pnr']}/cancel/",
        "/staff/reseatings/1/confirm/",
    ):
        answer = Client().post(path, {"reason": "please"}, headers=HTML)
        assert (answer.status_code, answer["Location"]) == (302, "/login/"), path


def test_pages_load_nothing_from_elsewhere_and_have_nothing_in_line(
    sale: Sale, meera: Visit
) -> None:
    ship()
    for path in pages(sale):
        page = meera.get(path)
        assert "unsafe" not in page["Content-Security-Policy"], path
        assert "no-store" in page["Cache-Control"], path
        reader = read(page)
        for tag, attributes in reader.tags:
            assert "style" not in attributes, (path, tag)
            assert not any(name.startswith("on") for name in attributes), (path, tag)


def test_today_counts_what_happened_this_hour(sale: Sale, meera: Visit) -> None:
    ship()
    minutes = table(meera, "/staff/", "minutes")
    assert len(minutes) == 60

    def total(column: str) -> int:
        return sum(int(minute[column]) for minute in minutes)

    assert [total(name) for name in ("Locks", "Confirms", "Expiries", "Releases", "Errors")] == [
        4,
        2,
        0,
        1,
        0,
    ]
    revenue = table(meera, "/staff/", "revenue")
    assert sum(float(minute["Revenue, INR"]) for minute in revenue) == pytest.approx(
        float(sale.booked["fare"]["amount"])
    )
    part = meera.get("/staff/", part="1")
    assert b"<html" not in part.content
    assert says(part, "Live holds")


def test_occupancy_by_leg_counts_sold_and_held(sale: Sale, meera: Visit) -> None:
    """Two seats sold and one held on the first two of four legs, of sixteen."""
    legs = table(meera, f"/staff/departures/{sale.departure.pk}/", "legs")
    assert [(leg["Sold"], leg["Held"], leg["Free"]) for leg in legs] == [
        ("2", "1", "13"),
        ("2", "1", "13"),
        ("0", "0", "16"),
        ("0", "0", "16"),
    ]
    coaches = table(meera, f"/staff/departures/{sale.departure.pk}/", "coaches")
    assert [float(coach["AAA → BBB"]) for coach in coaches] == [3 / 8, 0.0]
    page = meera.get("/staff/departures/", day=str(sale.departure.service_date))
    assert says(page, "10101")
    (row,) = table(meera, "/staff/departures/", "departures", day=str(sale.departure.service_date))
    assert float(row["Sold seat-legs, %"]) == pytest.approx(4 / 64)
    assert float(row["Fullest leg, %"]) == pytest.approx(3 / 16)


def test_a_hold_is_released_with_a_reason_that_is_kept(
    sale: Sale, meera: Visit, bela: Traveller
) -> None:
    hold = sale.hold["hold"]
    assert says(meera.get("/staff/holds/"), "S1-3")
    path = f"/staff/holds/{hold}/release/"
    assert meera.post(path, {"reason": " "}).status_code == 400
    assert meera.get(path).status_code == 405
    assert bela.get("reservations/holds/").json()["count"] == 1
    answer = meera.post(path, {"reason": "Rang and cannot pay"})
    assert (answer.status_code, answer["Location"]) == (302, "/staff/holds/")
    assert bela.get("reservations/holds/").json()["count"] == 0
    fact = OutboxEvent.objects.get(kind="staff.hold-released")
    assert meera.user is not None
    assert (fact.body["actor"], fact.body["reason"]) == (meera.user.pk, "Rang and cannot pay")
    assert meera.post(path, {"reason": "once more"}).status_code == 410


def test_a_release_needs_the_token_of_the_form(sale: Sale, meera: Visit) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = meera.client.cookies
    path = f"/staff/holds/{sale.hold['hold']}/release/"
    assert strict.post(path, {"reason": "forged"}, headers=HTML).status_code == 403
    assert OutboxEvent.objects.filter(kind="staff.hold-released").count() == 0


def test_bookings_are_found_by_pnr_name_train_and_day(
    sale: Sale, meera: Visit, anna: Traveller
) -> None:
    pnr = sale.booked["pnr"]
    assert meera.get("/staff/bookings/", who=pnr.lower())["Location"] == f"/staff/bookings/{pnr}/"

    def found(**query: str) -> set[str]:
        return {row["PNR"] for row in table(meera, "/staff/bookings/", "bookings", **query)}

    both = {pnr, sale.cancelled["pnr"]}
    assert found() == found(who="ann") == found(train="10101") == both
    assert found(status="cancelled") == {sale.cancelled["pnr"]}
    assert found(who="nobody") == found(train="99999") == found(day="2020-01-01") == set()
    assert meera.get("/staff/bookings/", who="a").status_code == 400
    assert meera.get("/staff/bookings/", day="yesterday").status_code == 400


def test_a_booking_has_every_fact_in_order(sale: Sale, meera: Visit) -> None:
    ship()
    facts = table(meera, f"/staff/bookings/{sale.cancelled['pnr']}/", "trail")
    assert [fact["What"] for fact in facts] == [
        "hold.held",
        "booking.confirmed",
        "booking.cancelled",
    ]
    assert {fact["Whose"] for fact in facts} == {"anna"}
    assert meera.get("/staff/bookings/NOSUCHPNR/").status_code == 404


def test_a_name_that_a_spreadsheet_would_run_is_text(db: None) -> None:
    rows = [("=HYPERLINK(1)", -5), ("@name", 0), ("plain", 1)]
    columns = [Column("Name"), Column("Count", "number")]
    answer = as_csv(Table(key="k", title="t", columns=columns, rows=rows))
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines == ["Name,Count", "'=HYPERLINK(1),-5", "'@name,0", "plain,1"]


def test_a_table_that_is_not_there_is_not_found(sale: Sale, meera: Visit) -> None:
    assert meera.get("/staff/health/", csv="nothing").status_code == 404


def test_without_mongodb_the_rest_of_the_board_is_there(
    sale: Sale, meera: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise ServerSelectionTimeoutError("away")

    for module in ("minutes", "demand", "funnel", "latency", "top_routes"):
        monkeypatch.setattr(f"analytics.reports.{module}.ask", away)
    monkeypatch.setattr("analytics.operations.audit.require_mongo", away)
    for path in pages(sale):
        answer = meera.get(path)
        assert answer.status_code == 200, path
    assert says(meera.get("/staff/"), "is away")
    assert says(meera.get(f"/staff/bookings/{sale.booked['pnr']}/"), "S1-1")


def test_health_names_stores_and_queues(sale: Sale, meera: Visit) -> None:
    stores = table(meera, "/staff/health/", "stores")
    assert {store["State"] for store in stores} == {"up"}
    assert {store["Store"] for store in stores} >= {"postgresql", "redis", "mongodb"}
    queues = {row["Queue"]: row["Now"] for row in table(meera, "/staff/health/", "queues")}
    assert int(queues["Facts of holds in Redis, not shipped yet"]) == 6
    ship()
    queues = {row["Queue"]: row["Now"] for row in table(meera, "/staff/health/", "queues")}
    assert queues["Facts of holds in Redis, not shipped yet"] == "0"


def test_what_people_look_for_and_what_became_of_it(
    sale: Sale, meera: Visit, departure: Departure, anna: Traveller
) -> None:
    query = {"source": "AAA", "destination": "CCC", "date": str(departure.service_date)}
    for _ in range(2):
        assert anna.get("departures/search/", **query).status_code == 200
    # The page counts as well, once, however it is sorted afterwards.
    asked = {"from": "AAA", "to": "CCC", "date": str(departure.service_date)}
    for sort in ("departure", "fare", "duration"):
        assert meera.get("/search/", sort=sort, **asked).status_code == 200
    ship()
    assert audit_database()["requests"].count_documents({"search": True}) == 3
    assert table(meera, "/staff/demand/", "routes-by-searches") == [
        {"Route": "AAA → CCC", "Searches": "3"}
    ]
    hours = table(meera, "/staff/demand/", "searches-by-hour")
    assert sum(int(hour["Searches"]) for hour in hours) == 3
    funnel = {row["Holds"]: row["Count"] for row in table(meera, "/staff/demand/", "funnel")}
    assert funnel == {
        "Held": "4",
        "Extended": "1",
        "Confirmed": "2",
        "Released": "1",
        "Expired": "0",
        "Open": "1",
    }
    calls = table(meera, "/staff/calls/", "calls")
    assert any(call["Call"].startswith("POST") for call in calls)
    slow = [float(call["p95"]) for call in calls]
    assert slow == sorted(slow, reverse=True)


def test_who_waits_is_seen_with_the_place(sale: Sale, meera: Visit, bela: Traveller) -> None:
    wish = {"departure": sale.departure.pk, "source": "AAA", "destination": "CCC"}
    for count in (6, 6):
        joined = bela.post("reservations/waitlist/", {**wish, "travel_class": "SL", "count": count})
        assert joined.status_code == 201, joined.content
    entries = table(meera, "/staff/waitlists/", "entries", departure=str(sale.departure.pk))
    assert [(each["Place"], each["Seats"], each["User"]) for each in entries] == [
        ("1", "6", bela.user.username),
        ("2", "6", bela.user.username),
    ]
    (queue,) = table(meera, "/staff/waitlists/", "queues")
    assert (queue["Class"], queue["Parties"], queue["Seats wanted"]) == ("SL", "2", "12")
    assert table(meera, "/staff/waitlists/", "entries", state="lapsed") == []
    assert table(meera, "/staff/waitlists/", "entries", user="nobody") == []
    for wrong in ({"state": "asleep"}, {"departure": "x"}):
        assert meera.get("/staff/waitlists/", **wrong).status_code == 400


def test_staff_give_seats_back_and_say_why(sale: Sale, meera: Visit, ravi: Visit) -> None:
    pnr, first = sale.booked["pnr"], sale.booked["seats"][0]
    address = f"/staff/bookings/{pnr}/cancel/"
    for wrong in ({}, {"reason": "x" * 201}, {"reason": "asked", "refund": "a lot"}):
        assert meera.post(address, wrong).status_code == 400
    assert meera.post(address, {"reason": "asked", "refund": "99999"}).status_code == 400
    answer = meera.post(address, {"reason": "Fell ill", "seat": [first], "refund": "1.50"})
    assert answer["Location"] == f"/staff/bookings/{pnr}/"
    (row,) = table(meera, f"/staff/bookings/{pnr}/", "given-back")
    assert (row["Seats"], row["Refund"], row["Rule"], row["Done by"]) == (
        first,
        "1.50",
        "staff",
        "staff",
    )
    fact = OutboxEvent.objects.get(kind__startswith="booking.", body__reason="Fell ill")
    assert fact.body["actor"] == (meera.user and meera.user.pk)


def test_a_departure_is_cancelled_by_somebody_who_is_sure(sale: Sale, meera: Visit) -> None:
    page = f"/staff/departures/{sale.departure.pk}/"
    assert says(meera.get(page), "Cancel this departure")
    for wrong in ({"sure": "1"}, {"reason": "Flood"}):
        assert meera.post(f"{page}cancel/", wrong).status_code == 400
    assert (
        meera.post("/staff/departures/99999/cancel/", {"reason": "x", "sure": "1"}).status_code
        == 404
    )
    assert meera.post(f"{page}cancel/", {"reason": "Flood", "sure": "1"})["Location"] == page
    shown = meera.get(page)
    assert says(shown, "This departure is cancelled. Flood")
    assert says(shown, "1 still to do")
    while cancel_withdrawn():
        pass
    assert says(meera.get(page), "1 booking given back")
    assert says(meera.get(f"/staff/bookings/{sale.booked['pnr']}/"), "departure-cancelled")
