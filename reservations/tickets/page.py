"""A ticket as it is shown: one view, of which page, PDF and calendar file are renderings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from config import clock
from reservations.availability.plans import Plan, plan_of
from reservations.bookings.views import BookingView, view_bookings
from reservations.models import Booking
from reservations.tickets.issue import ticket_of
from reservations.tickets.models import Ticket
from reservations.tickets.tokens import TicketClaims, sign

GRACE: Final = timedelta(hours=12)
"""How long after the timetable's arrival a ticket is good: trains run late."""


class Validity(StrEnum):
    VALID = "valid"
    BOARDED = "boarded"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where and when; `at` is UTC, `local` what the station's clock shows."""

    code: str
    name: str
    at: datetime
    local: datetime


@dataclass(frozen=True, kw_only=True)
class TicketView:
    """A ticket. `passengers` run beside `seats`; `fare` with its parts is for all of them."""

    pnr: str
    number: str
    serial: int
    validity: Validity
    departure: int
    train_number: str
    train_name: str
    service_date: str
    source: Place
    destination: Place
    seats: tuple[str, ...]
    travel_classes: tuple[str, ...]
    passengers: tuple[dict[str, Any] | None, ...]
    fare: Decimal
    fare_parts: Mapping[str, Decimal]
    currency: str
    issued_at: datetime
    boarded_at: datetime | None
    token: str


def view_ticket(booking: Booking) -> TicketView:
    """The ticket of a booking that was confirmed once, issued now if need be."""
    return _view(booking, ticket_of(booking), view_bookings([booking])[0])


def valid_until(plan: Plan, booking: Booking) -> datetime:
    """Until when it takes its holder anywhere, in UTC."""
    arrives = plan.train.stops[booking.to_stop].arrival_seconds
    return plan.starts_at + timedelta(seconds=arrives) + GRACE


def _view(booking: Booking, ticket: Ticket, seen: BookingView) -> TicketView:
    plan = plan_of(booking.departure_id)
    train, ends = plan.train, valid_until(plan, booking)
    boards, alights = train.stops[booking.from_stop], train.stops[booking.to_stop]
    claims = TicketClaims(
        number=ticket.number,
        serial=booking.revision,
        pnr=seen.pnr,
        departure=seen.departure,
        train=train.number,
        service_date=seen.service_date,
        source=boards.code,
        destination=alights.code,
        seats=seen.seats,
        expires_at=ends,
    )
    return TicketView(
        pnr=seen.pnr,
        number=ticket.number,
        serial=booking.revision,
        validity=_validity(booking, ticket, ends),
        departure=seen.departure,
        train_number=train.number,
        train_name=train.name,
        service_date=seen.service_date,
        source=_place(boards.code, boards.name, seen.source["departs_at"], boards.timezone),
        destination=_place(
            alights.code, alights.name, seen.destination["arrives_at"], alights.timezone
        ),
        seats=seen.seats,
        travel_classes=tuple(
            train.travel_class_of(train.ordinal_of[label]) for label in seen.seats
        ),
        passengers=seen.passengers,
        fare=seen.fare,
        fare_parts=seen.fare_parts,
        currency=seen.currency,
        issued_at=ticket.issued_at,
        boarded_at=ticket.boarded_at,
        token=sign(claims),
    )


def _place(code: str, name: str, at: datetime, timezone: str) -> Place:
    return Place(code=code, name=name, at=at, local=at.astimezone(ZoneInfo(timezone)))


def _validity(booking: Booking, ticket: Ticket, ends: datetime) -> Validity:
    if booking.status != Booking.Status.CONFIRMED:
        return Validity.CANCELLED
    if ticket.boarded_at is not None:
        return Validity.BOARDED
    return Validity.EXPIRED if ends <= clock.now() else Validity.VALID
