"""The small world of a simulation: two departures of one train, few seats, many legs."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connections

from config import clock
from tests.availability import railway
from trains.models import Seat
from users.minting import mint
from users.models import Login, User

LEGS: Final = 34
WORDS: Final = 2
SEATS: Final = 6
# Where stretches begin and end: also on both sides of the border between two words of bits.
STOPS: Final = (0, 5, 31, 32, 33, 34)
TRAVELLERS: Final = 5

_EMPTIED: Final = (
    "reservations_bookedseat",
    "reservations_bookingmail",
    "reservations_cancellation",
    "reservations_booking",
    "reservations_seatblock",
    "outbox_outboxevent",
    "idempotency_idempotencykey",
)


@dataclass(frozen=True)
class Person:
    """Somebody with a login."""

    user: User
    sid: UUID

    @property
    def token(self) -> str:
        """A fresh access token, so that none ends by a jump of the clock."""
        return mint(user=self.user, sid=self.sid).access


@dataclass(frozen=True)
class World:
    """What does not change between seeds. `labels` by ordinal; `ordinals` by seat id."""

    departures: tuple[int, ...]
    labels: tuple[str, ...]
    ordinals: dict[int, int]
    people: tuple[Person, ...]
    staff: Person

    @staticmethod
    def mask(ordinals: "tuple[int, ...]", from_stop: int, to_stop: int) -> int:
        """Seat-legs as bits of one whole number, as they lie in a seat image."""
        legs = (1 << to_stop) - (1 << from_stop)
        return sum(legs << (ordinal * WORDS * 32) for ordinal in ordinals)


def stop(at: int) -> str:
    return f"S{at:02}"


def build_world() -> World:
    """Empty the database and make train, departures and people; ids are the same each time."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "TRUNCATE users_user, trains_train, trains_station, trains_vehicletemplate,"
            " outbox_outboxevent, idempotency_idempotencykey RESTART IDENTITY CASCADE"
        )
    train = railway.train(
        stops=tuple(stop(at) for at in range(LEGS + 1)),
        coaches=(("A1", "SL", 4), ("B1", "CC", 2)),
        leg_seconds=600,
    )
    departures = tuple(railway.departure(train, days_ahead=days).pk for days in (3, 4))
    seats = list(Seat.objects.filter(train=train).select_related("coach").order_by("ordinal"))
    assert len(seats) == SEATS
    return World(
        departures=departures,
        labels=tuple(f"{seat.coach.label}-{seat.number}" for seat in seats),
        ordinals={seat.pk: seat.ordinal for seat in seats},
        people=tuple(_person(at) for at in range(TRAVELLERS)),
        staff=_person(99, is_staff=True),
    )


def empty_world() -> None:
    """No bookings, blocks, facts and keys; the next ids are 1 again."""
    statements = ["SET synchronous_commit = off; SET CONSTRAINTS ALL IMMEDIATE"]
    statements += [f"DELETE FROM {table}" for table in _EMPTIED]  # noqa: S608  # names of ours
    statements += [f"ALTER TABLE {table} ALTER COLUMN id RESTART" for table in _EMPTIED]
    statements.append("UPDATE trains_departure SET revision = 1")
    with connections["default"].cursor() as cursor:
        cursor.execute(";".join(statements))


def _person(at: int, *, is_staff: bool = False) -> Person:
    user = User.objects.create_user(f"p{at}", f"p{at}@example.org", is_staff=is_staff)
    sid = UUID(int=at + 1)
    Login.objects.create(
        sid=sid,
        user=user,
        refresh_jti=f"{at}",
        created_at=clock.now(),
        expires_at=clock.now(),
    )
    return Person(user, sid)
