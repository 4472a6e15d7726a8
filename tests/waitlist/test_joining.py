"""Joining and leaving: who may, how often, and what is told."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from reservations.waitlist.models import Entry
from tests.engine import Traveller
from tests.waitlist.conftest import cancel, join, lock, seen, state, wish, work
from trains.models import Departure

pytestmark = pytest.mark.django_db


def ask(who: Traveller, run: Departure, **what: Any) -> Any:
    return who.post(
        "reservations/waitlist/", wish(run, **{"travel_class": "SL", "count": 1, **what})
    )


def test_seats_that_are_free_are_locked_and_not_waited_for(run: Departure, anna: Traveller) -> None:
    refused = ask(anna, run)
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal-state")
    assert refused.json()["state"] == "free"
    assert lock(anna, run, on_full="waitlist").status_code == 201
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"travel_class": "1A"}, 400, "invalid"),
        ({"count": 0}, 400, "invalid"),
        ({"count": 5}, 400, "invalid"),  # there are four
        ({"count": 7}, 422, "limit-reached"),
        ({"destination": "ZZZ"}, 400, "invalid"),
        ({"departure": 2**40}, 404, "not-found"),
        ({"count": 1, "passengers": [{"name": "A"}, {"name": "B"}]}, 400, "invalid"),
    ],
)
@pytest.mark.usefixtures("sold")
def test_what_cannot_be_waited_for(
    run: Departure, anna: Traveller, asked: dict[str, Any], status: int, code: str
) -> None:
    refused = ask(anna, run, **asked)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert not Entry.objects.exists()


def test_after_the_chart_nobody_joins(
    run: Departure, sold: list[str], anna: Traveller, chart_in: Callable[[float], None]
) -> None:
    chart_in(30)
    assert ask(anna, run).status_code == 201
    chart_in(-1)
    refused = ask(anna, run)
    assert (refused.status_code, refused.json()["code"]) == (409, "not-on-sale")


def test_two_entries_on_one_departure_and_no_more(
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller
) -> None:
    first = join(anna, run)
    join(anna, run, 2)
    refused = ask(anna, run)
    assert (refused.status_code, refused.json()["code"]) == (422, "limit-reached")
    assert refused.json()["limit"] == 2
    assert ask(bela, run).status_code == 201
    anna.delete(f"reservations/waitlist/{first}/")
    assert ask(anna, run).status_code == 201


def test_a_refused_lock_joins_in_the_same_call(
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller
) -> None:
    join(bela, run)
    refused = lock(anna, run)
    assert refused.status_code == 409
    assert (refused.json()["free"], refused.json()["waitlist"]) == (0, 1)
    joined = lock(anna, run, count=2, on_full="waitlist")
    assert joined.status_code == 202
    assert joined.json() == {"entry": joined.json()["entry"], "position": 2, "status": "waiting"}
    assert Entry.objects.get(key=joined.json()["entry"]).count == 2


def test_a_keyed_lock_that_joined_joins_once(
    run: Departure, sold: list[str], anna: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reservations.api import kept_answers

    body = wish(run, travel_class="SL", count=1, on_full="waitlist")
    with monkeypatch.context() as broken:  # the server dies before the answer is kept
        broken.setattr(kept_answers, "keep", lambda *_: None)
        first = anna.post("reservations/lock/", body, **{"Idempotency-Key": "one"})
    again = anna.post("reservations/lock/", body, **{"Idempotency-Key": "one"})
    third = anna.post("reservations/lock/", body, **{"Idempotency-Key": "one"})
    assert [each.status_code for each in (first, again, third)] == [202, 202, 202]
    assert first.json() == again.json() == third.json()
    assert third["Idempotency-Replayed"] == "true"
    assert Entry.objects.count() == 1


def test_joining_with_a_key_joins_once(run: Departure, sold: list[str], anna: Traveller) -> None:
    body = wish(run, travel_class="SL", count=1)
    first, again = (
        anna.post("reservations/waitlist/", body, **{"Idempotency-Key": "one"}) for _ in "ab"
    )
    assert first.status_code == again.status_code == 201
    assert (again["Idempotency-Replayed"], again.json()) == ("true", first.json())
    assert Entry.objects.count() == 1


def test_a_class_must_be_named_to_wait_and_seats_by_name_are_not_waited_for(
    run: Departure, sold: list[str], anna: Traveller
) -> None:
    lock(anna, run, travel_class="CC", count=2)
    refused = lock(anna, run, travel_class=None, count=1, on_full="waitlist")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["travel_class"])
    refused = lock(anna, run, seats=["S1-1"], on_full="waitlist")
    assert (refused.status_code, refused.json()["code"]) == (409, "seat-unavailable")


def test_search_tells_how_many_wait(run: Departure, sold: list[str], anna: Traveller) -> None:
    join(anna, run)
    join(anna, run, 2, source="CCC")
    counts = {}
    for source, destination in (("AAA", "BBB"), ("AAA", "EEE")):
        found = anna.get(
            "departures/search/", source=source, destination=destination, date=run.service_date
        )
        (row,) = found.json()["results"]
        counts[source, destination] = {c["travel_class"]: c["waitlist"] for c in row["classes"]}
    assert counts == {("AAA", "BBB"): {"SL": 1, "CC": 0}, ("AAA", "EEE"): {"SL": 2, "CC": 0}}


def test_leaving_twice_is_leaving_once_and_an_end_is_an_end(
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller, controller: Traveller
) -> None:
    mine, other = join(anna, run), join(anna, run)
    assert bela.delete(f"reservations/waitlist/{mine}/").status_code == 404
    assert bela.get(f"reservations/waitlist/{mine}/").status_code == 404
    assert [anna.delete(f"reservations/waitlist/{mine}/").status_code for _ in "ab"] == [204, 204]
    assert state(mine) == "left"
    cancel(controller, sold[0])
    work()
    offer = seen(anna, other)["offer"]
    assert anna.post("reservations/confirm/", {"hold": offer["hold"]}).status_code == 201
    refused = anna.delete(f"reservations/waitlist/{other}/")
    assert (refused.status_code, refused.json()["state"]) == (409, "confirmed")
    listed = anna.get("reservations/waitlist/").json()
    assert (listed["count"], [each["entry"] for each in listed["results"]]) == (2, [other, mine])


def test_who_would_travel_is_erased_with_the_account(
    run: Departure, sold: list[str], anna: Traveller
) -> None:
    entry = join(anna, run, 2, passengers=[{"name": "Asha"}, {"name": "Ravi"}])
    call_command("erase_person", "anna")
    assert Entry.objects.get(key=entry).passengers == []
    assert state(entry) == "waiting"
