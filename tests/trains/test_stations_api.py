"""`stations/`: looked up by everybody, added by staff."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from config.outbox.models import OutboxEvent
from trains.models import Station

URL = "/api/v1/stations/"
NAMES = {
    "PUN": "PUNNAPRA",
    "PUNE": "PUNE JN",
    "PNE": "Pun",
    "HDP": "HADAPSAR PUNE",
    "XPU": "SHIVAPUNI",
    "MAO": "MADGAON",
    "A%B": "PERCENT_SIGN",
    "DR": "DADAR (CENTRAL)",
}


@pytest.fixture
def _stations(db: None) -> None:
    del db
    Station.objects.bulk_create(
        Station(code=code, name=name, timezone="Asia/Kolkata") for code, name in NAMES.items()
    )


def _codes(client: APIClient, query: str) -> list[str]:
    answer = client.get(URL, {"q": query})
    assert answer.status_code == 200, answer.content
    return [row["code"] for row in answer.json()["results"]]


@pytest.mark.usefixtures("_stations")
def test_the_best_match_comes_first(anybody: APIClient) -> None:
    """Exact code, exact name, code prefix, name prefix (none here), word prefix, substring."""
    assert _codes(anybody, "pun") == ["PUN", "PNE", "PUNE", "HDP", "XPU"]
    assert _codes(anybody, " pune ") == ["PUNE", "HDP"]
    assert _codes(anybody, "central") == ["DR"]
    assert _codes(anybody, "nothing like it") == []


@pytest.mark.usefixtures("_stations")
@pytest.mark.parametrize(
    ("query", "codes"),
    [("%", ["A%B"]), ("_", ["A%B"]), ("(", ["DR"]), (".*", []), ("\\", []), ("[", []), ("'", [])],
)
def test_signs_mean_themselves(anybody: APIClient, query: str, codes: list[str]) -> None:
    assert _codes(anybody, query) == codes


@pytest.mark.usefixtures("_stations")
def test_without_a_query_all_are_listed_by_code(anybody: APIClient) -> None:
    answer = anybody.get(URL, {"limit": 3, "offset": 1}).json()
    assert answer["count"] == len(NAMES)
    assert [row["code"] for row in answer["results"]] == sorted(NAMES)[1:4]
    assert "offset=4" in answer["next"]


@pytest.mark.usefixtures("_stations")
@pytest.mark.parametrize(
    "query", [{"q": "x" * 101}, {"q": "a\0"}, {"limit": "x"}, {"offset": "-1"}, {"offset": 2**64}]
)
def test_odd_queries_are_refused(anybody: APIClient, query: dict[str, Any]) -> None:
    answer = anybody.get(URL, query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


GOOD = {"code": "NEW", "name": "New Place", "latitude": 10.5, "longitude": -70}


def test_staff_add_a_station(staff: APIClient, staff_user: Any) -> None:
    answer = staff.post(URL, GOOD, format="json")
    assert answer.status_code == 201, answer.content
    assert answer.json() == {**GOOD, "timezone": "Asia/Kolkata"}
    fact = OutboxEvent.objects.get(kind="station.created")
    assert fact.body == {"station": "NEW", "actor": staff_user.pk}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", "A B"),
        ("code", "A\0"),
        ("code", "-"),
        ("code", ""),
        ("name", ""),
        ("latitude", 90.1),
        ("latitude", "NaN"),
        ("longitude", "inf"),
        ("longitude", []),
        ("timezone", "Mars/Olympus"),
        ("timezone", "../etc/passwd"),
    ],
)
def test_what_is_wrong_is_named(staff: APIClient, field: str, value: Any) -> None:
    answer = staff.post(URL, {**GOOD, field: value}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert not Station.objects.exists()


def test_a_code_in_use_is_invalid(staff: APIClient) -> None:
    staff.post(URL, GOOD, format="json")
    answer = staff.post(URL, {**GOOD, "name": "Other"}, format="json")
    assert list(answer.json()["errors"]) == ["code"]


def test_only_staff_add_stations(anybody: APIClient, traveller: APIClient) -> None:
    assert anybody.post(URL, GOOD, format="json").status_code == 401
    assert traveller.post(URL, GOOD, format="json").status_code == 403
    assert not Station.objects.exists()
