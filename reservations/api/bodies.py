"""What the engine's calls take and give: the types that parse, render and describe them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec

from reservations.bookings.passengers import Passenger
from reservations.bookings.views import BookingView, CancellationView
from reservations.services.hold_view import HoldView

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=24)]
DepartureId = Annotated[int, msgspec.Meta(ge=1, lt=2**47)]


class Money(msgspec.Struct, frozen=True):
    """An exact amount as a decimal string, with its currency (ISO 4217)."""

    amount: Decimal
    currency: str


class FarePartBody(msgspec.Struct, frozen=True):
    """`part`: base, distance, reservation, superfast, concession (negative) or tax."""

    part: str
    amount: Decimal


class FareBody(msgspec.Struct, frozen=True):
    """A fare and what it is made of; the parts add up to it."""

    amount: Decimal
    currency: str
    parts: tuple[FarePartBody, ...]


class SeatsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Seats by label, or `count` of a class ("together" if possible).

    `passengers`, one a seat: their concessions are in the fare, and confirm need not name them.
    They run beside `seats`; for a `count` they are seated by their berth preferences.
    """

    departure: DepartureId
    source: Code
    destination: Code
    seats: Annotated[tuple[Label, ...], msgspec.Meta(max_length=100)] = ()
    travel_class: Annotated[str, msgspec.Meta(max_length=8)] | None = None
    count: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    preference: Literal["together", "window", "any"] = "together"
    passengers: Annotated[tuple[Passenger, ...], msgspec.Meta(max_length=60)] = ()


class LockBody(SeatsBody, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Seats to lock. `on_full`: what to do when too few of the class are free for a `count`."""

    on_full: Literal["waitlist"] | None = None


class WaitsBody(msgspec.Struct, frozen=True):
    """A place on the waitlist. `position` counts from 1, null once it does not wait any more."""

    entry: str
    position: int | None
    status: str


class GroupBody(SeatsBody, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A group to be booked at once: seats by label, or `count` of a class, of whatever coaches.

    `passengers`, one a seat, as with a lock.
    """


class HoldBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A hold. `expires_in_seconds` counts from `server_time`; both are the store's clock."""

    hold: str
    status: str
    departure: int
    source: str
    destination: str
    seats: tuple[str, ...]
    fare: FareBody
    fence: int
    expires_at: datetime
    expires_in_seconds: int
    server_time: datetime
    capability: str | None = None


class ConfirmBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A hold of mine; its capability, for the day the store forgot it; passengers, one a seat."""

    hold: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    capability: Annotated[str, msgspec.Meta(max_length=4096)] | None = None
    passengers: Annotated[tuple[Passenger, ...], msgspec.Meta(max_length=60)] = ()


class TrainBody(msgspec.Struct, frozen=True):
    number: str
    name: str


class BoardingBody(msgspec.Struct, frozen=True):
    code: str
    name: str
    departs_at: datetime


class AlightingBody(msgspec.Struct, frozen=True):
    code: str
    name: str
    arrives_at: datetime


class RefundStandBody(msgspec.Struct, frozen=True):
    """How a refund stands. `status`: none (nothing goes back), by-hand (no payment was taken by a
    gateway), due, pending, done or failed. `reference` is the gateway's.
    """

    amount: Decimal
    currency: str
    status: str
    reference: str


class CancellationBody(msgspec.Struct, frozen=True):
    """Seats that were given back; `by` is owner, agent or staff, `rule` why so much goes back."""

    at: datetime
    by: str
    rule: str
    seats: tuple[str, ...]
    refund: RefundStandBody


class BookingBody(msgspec.Struct, frozen=True):
    """A booking; `passengers` run beside `seats`, null where nobody was named. While it is
    confirmed these are the seats it has, then those it gave back. `cancellation` is the latest of
    `cancellations`.
    """

    pnr: str
    status: str
    hold: str
    departure: int
    train: TrainBody
    service_date: str
    source: BoardingBody
    destination: AlightingBody
    seats: tuple[str, ...]
    passengers: tuple[dict[str, Any] | None, ...]
    fare: FareBody
    created_at: datetime
    cancelled_at: datetime | None
    cancellation: CancellationBody | None
    cancellations: tuple[CancellationBody, ...]


class ErasedBody(msgspec.Struct, frozen=True):
    """On how many seats a passenger was erased."""

    erased: int


class BlockBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seats to keep out of sale on one departure, or to give back, and why."""

    seats: Annotated[tuple[Label, ...], msgspec.Meta(min_length=1, max_length=2000)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class BlockedBody(msgspec.Struct, frozen=True):
    departure: int
    seats: tuple[str, ...]


class HoldPage(msgspec.Struct, frozen=True):
    count: int
    next: str | None
    previous: str | None
    results: list[HoldBody]


class BookingPage(msgspec.Struct, frozen=True):
    count: int
    next: str | None
    previous: str | None
    results: list[BookingBody]


def fare_body(amount: Decimal, currency: str, parts: Mapping[str, Decimal]) -> FareBody:
    shown = tuple(FarePartBody(part, of_it) for part, of_it in parts.items())
    return FareBody(amount, currency, shown)


def hold_body(view: HoldView) -> HoldBody:
    return HoldBody(
        hold=view.hold,
        status=view.status,
        departure=view.departure,
        source=view.source,
        destination=view.destination,
        seats=view.seats,
        fare=fare_body(view.fare, view.currency, view.fare_parts),
        fence=view.fence,
        expires_at=view.expires_at,
        expires_in_seconds=view.expires_in_seconds,
        server_time=view.server_time,
        capability=view.capability,
    )


def booking_body(view: BookingView) -> BookingBody:
    given_back = tuple(_cancellation_body(each, view.currency) for each in view.cancellations)
    return BookingBody(
        pnr=view.pnr,
        status=view.status,
        hold=view.hold,
        departure=view.departure,
        train=TrainBody(**view.train),
        service_date=view.service_date,
        source=BoardingBody(**view.source),
        destination=AlightingBody(**view.destination),
        seats=view.seats,
        passengers=view.passengers,
        fare=fare_body(view.fare, view.currency, view.fare_parts),
        created_at=view.created_at,
        cancelled_at=view.cancelled_at,
        cancellation=given_back[-1] if given_back else None,
        cancellations=given_back,
    )


def _cancellation_body(view: CancellationView, currency: str) -> CancellationBody:
    stand = view.refund
    return CancellationBody(
        at=view.at,
        by=view.by,
        rule=view.rule,
        seats=view.seats,
        refund=RefundStandBody(stand.amount, currency, stand.status, stand.reference),
    )
