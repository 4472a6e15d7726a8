"""How these tests search."""

from datetime import date
from typing import Any

from django.test import Client


def search(client: Client, source: str, destination: str, day: date | str, **more: Any) -> Any:
    query = {"source": source, "destination": destination, "date": str(day), **more}
    answer = client.get("/api/v1/departures/search/", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def refused(client: Client, **query: Any) -> Any:
    answer = client.get("/api/v1/departures/search/", query)
    assert answer["Content-Type"] == "application/problem+json"
    return answer


def free_by_class(row: dict[str, Any]) -> dict[str, int]:
    return {each["travel_class"]: each["free"] for each in row["classes"]}
