"""What a visitor does, page by page, without JavaScript."""

from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from django.test import Client

from trains.models import Departure
from users.models import User

PASSWORD = "monsoon-Express-11057"


@dataclass
class Visit:
    """A browser's session; `user` once there is an account."""

    client: Client
    user: User | None = None

    def sign_in(self) -> None:
        assert self.user is not None
        said = {"username": self.user.username, "password": PASSWORD}
        assert self.client.post("/login/", said).status_code == 302

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, query, headers={"Accept": "text/html"})

    def post(self, path: str, said: dict[str, Any] | None = None) -> Any:
        return self.client.post(path, said or {}, headers={"Accept": "text/html"})

    def hold(self, departure: Departure, *seats: str, **more: Any) -> Any:
        """Ask for seats by name, or with `how="best"` for the best; the answer."""
        said = {"from": "AAA", "to": "CCC", "seat": list(seats), **more}
        return self.post(f"/departures/{departure.pk}/hold/", said)

    def held(self, departure: Departure, *seats: str, **more: Any) -> str:
        """The address of the hold's page."""
        answer = self.hold(departure, *seats, **more)
        assert answer.status_code == 302, answer.content
        return str(answer["Location"])

    def book(self, departure: Departure, *seats: str) -> str:
        """Hold, say who travels, and book where nothing is paid; the PNR."""
        page = self.held(departure, *seats)
        answer = self.post(page, travellers(len(seats)))
        assert answer.status_code == 302, answer.content
        assert answer["Location"].startswith("/bookings/"), answer["Location"]
        return str(answer["Location"].split("/")[2])


def travellers(number: int) -> dict[str, str]:
    """The checkout form for so many adults."""
    said: dict[str, str] = {}
    for at in range(number):
        said |= {f"name-{at}": f"Traveller {at + 1}", f"age-{at}": "30", f"gender-{at}": "female"}
    return said


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(" ".join(data.split()))


def read(answer: Any) -> _Reader:
    """A page's tags with their attributes, and its texts."""
    reader = _Reader()
    reader.feed(answer.content.decode())
    return reader


def says(answer: Any, text: str) -> bool:
    return text in " ".join(read(answer).texts)
