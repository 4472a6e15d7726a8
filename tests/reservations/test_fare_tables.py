"""Fare tables are dated data: no overlaps, gaps are not sold, and a held fare stays."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.outbox.consumers import consume_pending
from config.stores import keys
from config.stores.redis import holds_store
from reservations.availability import plans
from reservations.services import consume_facts
from reservations.services.refresh_image import load_image, refresh_departure
from tests.availability import railway
from tests.engine import Traveller
from trains.models import ClassFare, Departure, FareTable
from trains.services.change_fares import touch_fares
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Client:
    client = Client()
    client.force_login(
        User.objects.create_superuser("chief", "chief@example.org", "a long pass phrase")
    )
    return client


def lock(who: Traveller, departure: Departure, **wish: Any) -> Any:
    wish = wish or {"seats": ["S1-1"]}
    body = {"departure": departure.id, "source": "AAA", "destination": "EEE", **wish}
    return who.post("reservations/lock/", body)


def fields_of(office: Client, path: str) -> dict[str, Any]:
    """What the page's form would send back unchanged."""
    page = office.get(path).context["adminform"].form
    formsets = [each.formset for each in office.get(path).context["inline_admin_formsets"]]
    forms = [page, *(form for formset in formsets for form in formset.initial_forms)]
    data = {form.add_prefix(name): form[name].value() for form in forms for name in form.fields}
    for formset in formsets:
        management = formset.management_form
        data |= {
            management.add_prefix(name): management[name].value() for name in management.fields
        }
    return {name: "" if value is None else value for name, value in data.items()}


def test_the_parts_of_a_fare_are_shown_and_booked(anna: Traveller, departure: Departure) -> None:
    held = lock(anna, departure, seats=["S1-1", "C1-1"]).json()
    assert held["fare"] == {
        "amount": "642.00",
        "currency": "INR",
        "parts": [
            {"part": "base", "amount": "100.00"},
            {"part": "distance", "amount": "460.80"},
            {"part": "reservation", "amount": "60.00"},
            {"part": "tax", "amount": "21.20"},
        ],
    }
    booked = anna.post("reservations/confirm/", {"hold": held["hold"]}).json()
    assert booked["fare"] == held["fare"]
    again = anna.get(f"reservations/bookings/{booked['pnr']}/").json()
    assert again["fare"] == held["fare"]


def test_no_two_tables_are_valid_on_one_date() -> None:
    first = FareTable.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        FareTable.objects.create(name="More", valid_from="2030-01-01", valid_to="2030-02-01")
    FareTable.objects.update(valid_to="2030-01-01")
    with pytest.raises(IntegrityError), transaction.atomic():
        FareTable.objects.create(name="More", valid_from="2030-01-01")
    FareTable.objects.create(name="More", valid_from="2030-01-02")
    with pytest.raises(IntegrityError), transaction.atomic():
        FareTable.objects.filter(pk=first.pk).update(valid_to="1999-01-01")


def test_a_date_in_a_gap_between_tables_is_not_sold(anna: Traveller, departure: Departure) -> None:
    before = departure.service_date - timedelta(days=1)
    after = departure.service_date + timedelta(days=1)
    FareTable.objects.update(valid_to=before)
    FareTable.objects.create(name="Later fares", valid_from=after)

    refused = lock(anna, departure)
    assert (refused.status_code, refused.json()["code"]) == (409, "not-on-sale")
    assert f"No fare is set for class SL on {departure.service_date}" in refused.json()["detail"]
    for wish in ({"travel_class": "SL", "count": 1}, {"count": 1}):
        assert lock(anna, departure, **wish).json()["code"] == "not-on-sale"
    query = {"source": "AAA", "destination": "EEE", "date": departure.service_date.isoformat()}
    (row,) = anna.get("departures/search/", **query).json()["results"]
    assert (row["classes"], row["free"], row["is_full"]) == ([], 0, True)


def test_a_class_that_no_table_names_is_not_sold_and_others_are(
    anna: Traveller, departure: Departure
) -> None:
    ClassFare.objects.filter(travel_class__in=("", "SL")).delete()
    assert "class SL" in lock(anna, departure).json()["detail"]
    held = lock(anna, departure, count=2)
    assert held.status_code == 201
    assert {seat.split("-")[0] for seat in held.json()["seats"]} == {"C1"}


def test_a_gap_that_is_closed_is_sold_at_once(anna: Traveller, departure: Departure) -> None:
    FareTable.objects.update(valid_to=departure.service_date - timedelta(days=1))
    assert lock(anna, departure).status_code == 409
    FareTable.objects.update(valid_to=None)
    assert lock(anna, departure).status_code == 201


def test_staff_change_a_fare_and_what_is_held_keeps_the_fare_it_was_told(
    office: Client, anna: Traveller, departure: Departure
) -> None:
    held = lock(anna, departure).json()
    row = ClassFare.objects.get(travel_class="SL")
    path = f"/admin/trains/classfare/{row.pk}/change/"
    answer = office.post(path, {**fields_of(office, path), "base": "140.00"})
    assert answer.status_code == 302, answer.context["errors"]
    assert FareTable.objects.get().revision == 2

    consume_pending()
    new = lock(anna, departure, seats=["S1-2"]).json()
    assert Decimal(new["fare"]["amount"]) - Decimal(held["fare"]["amount"]) == 100
    booked = anna.post("reservations/confirm/", {"hold": held["hold"]}).json()
    assert booked["fare"] == held["fare"]


def test_images_with_the_fares_before_are_refreshed_and_no_others(
    departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a process whose plans are old is told so by the lock script."""
    later = railway.departure(departure.train, days_ahead=9)
    first = FareTable.objects.get()
    FareTable.objects.update(valid_to=departure.service_date)
    after = departure.service_date + timedelta(days=1)
    FareTable.objects.create(name="Later fares", valid_from=after)
    for each in (departure, later):
        load_image(departure=each.pk)
    refreshed = []

    def refresh(*, departure: int) -> None:
        refreshed.append(departure)
        refresh_departure(departure=departure)

    monkeypatch.setattr(consume_facts, "refresh_departure", refresh)
    touch_fares(table_id=first.pk, actor_id=None)
    holds_store().set(keys.TIMETABLE, "before")
    consume_pending()
    assert refreshed == [departure.pk]
    assert holds_store().get(keys.TIMETABLE) != b"before", "memories of searches are old, too"


def test_staff_are_told_of_an_overlap_on_the_form(office: Client) -> None:
    path = f"/admin/trains/faretable/{FareTable.objects.get().pk}/change/"
    data = fields_of(office, path)
    second = {**data, "name": "Next year", "valid_from": "2031-01-01", "_saveasnew": "1"}
    page = office.post("/admin/trains/faretable/add/", second)
    assert page.status_code == 200
    assert "Another fare table is valid on some of these dates." in page.content.decode()
    assert office.post(path, {**data, "valid_to": "2030-12-31"}).status_code == 302
    assert FareTable.objects.get().revision == 2


def test_a_lock_asks_no_sql_for_its_fare(anna: Traveller, departure: Departure) -> None:
    lock(anna, departure)
    with CaptureQueriesContext(connection) as queries:
        assert lock(anna, departure, seats=["S1-2"]).status_code == 201
    assert len(queries) == 0


def test_a_superfast_train_costs_its_classes_charge(anna: Traveller, departure: Departure) -> None:
    departure.train.superfast = True
    departure.train.save()
    plans.forget_all()
    parts = {p["part"]: p["amount"] for p in lock(anna, departure).json()["fare"]["parts"]}
    assert parts["superfast"] == "30.00"
