"""What the waitlist's calls take and give."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from django.conf import settings

from reservations.api.bodies import Code, DepartureId, Money
from reservations.bookings.passengers import Passenger
from reservations.waitlist.services.show_entry import EntryView, OfferView

EntryStatus = Literal["waiting", "offered", "confirmed", "lapsed", "left"]


class JoinBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """So many seats of a class; `passengers`, one a seat, or nobody."""

    departure: DepartureId
    source: Code
    destination: Code
    travel_class: Annotated[str, msgspec.Meta(min_length=1, max_length=8)]
    count: Annotated[int, msgspec.Meta(ge=1, le=100)]
    passengers: Annotated[tuple[Passenger, ...], msgspec.Meta(max_length=60)] = ()


class OfferBody(msgspec.Struct, frozen=True):
    """A hold of mine, to be confirmed or paid like any other."""

    hold: str
    capability: str
    seats: tuple[str, ...]
    expires_at: datetime


class EntryBody(msgspec.Struct, frozen=True):
    """An entry. `position` counts from 1, and only while it waits; `offer`, only while it is open;
    `pnr`, once it is confirmed; `prepaid`, while money for it is kept: then it is booked without
    being asked. The waitlist closes at `closes_at`.
    """

    entry: str
    status: EntryStatus
    position: int | None
    departure: int
    source: str
    destination: str
    travel_class: str
    count: int
    joined_at: datetime
    closes_at: datetime
    offer: OfferBody | None
    pnr: str | None
    prepaid: Money | None = None


class EntryPage(msgspec.Struct, frozen=True):
    count: int
    next: str | None
    previous: str | None
    results: list[EntryBody]


def entry_body(view: EntryView) -> EntryBody:
    return EntryBody(
        entry=view.entry,
        status=view.status,  # type: ignore[arg-type]  # the states' values are these
        position=view.position,
        departure=view.departure,
        source=view.source,
        destination=view.destination,
        travel_class=view.travel_class,
        count=view.count,
        joined_at=view.joined_at,
        closes_at=view.closes_at,
        offer=None if view.offer is None else _offer_body(view.offer),
        pnr=view.pnr,
        prepaid=None if view.prepaid is None else Money(view.prepaid, settings.ENV.currency),
    )


def _offer_body(offer: OfferView) -> OfferBody:
    return OfferBody(
        hold=offer.hold,
        capability=offer.capability,
        seats=offer.seats,
        expires_at=offer.expires_at,
    )
