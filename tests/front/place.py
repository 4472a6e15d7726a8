"""A small railway behind a real server, with people to knock at its door."""

import uuid
from dataclasses import dataclass
from datetime import date

from config import clock
from config.stores.redis import holds_store
from reservations.availability import plans
from tests.availability import railway
from users.minting import mint
from users.models import Login, User

STOPS = ("AAA", "BBB", "CCC", "DDD", "EEE")
PASSWORD = "knock-knock-8341"
DAYS = range(1, 6)


@dataclass(frozen=True)
class Person:
    """An account that is logged in."""

    id: int
    username: str
    access: str
    refresh: str
    sid: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}


@dataclass(frozen=True)
class Place:
    """Where the door is, and what is behind it. `days` are the service dates of `departures`."""

    url: str
    traveller: Person
    other: Person
    staff: Person
    train: str
    departures: tuple[int, ...]
    days: tuple[date, ...]


def furnish(url: str) -> Place:
    """Write the railway and the people into the empty stores behind this address."""
    holds_store().flushall()
    plans.forget_all()
    express = railway.train(stops=STOPS, coaches=(("S1", "SL", 40), ("C1", "CC", 40)))
    departures = [railway.departure(express, days_ahead=ahead) for ahead in DAYS]
    return Place(
        url=url,
        traveller=person("traveller"),
        other=person("other"),
        staff=person("staff", is_staff=True),
        train=express.number,
        departures=tuple(each.pk for each in departures),
        days=tuple(each.service_date for each in departures),
    )


def person(name: str, *, is_staff: bool = False) -> Person:
    """A new account with PASSWORD, logged in."""
    user = User.objects.create_user(name, f"{name}@example.org", PASSWORD, is_staff=is_staff)
    sid = uuid.uuid4()
    tokens = mint(user=user, sid=sid)
    Login.objects.create(
        sid=sid,
        user=user,
        refresh_jti=tokens.refresh_jti,
        created_at=clock.now(),
        expires_at=tokens.expires_at,
    )
    return Person(user.pk, name, tokens.access, tokens.refresh, str(sid))
