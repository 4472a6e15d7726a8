"""What the ticket calls take and give."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from reservations.api.bodies import DepartureId, FareBody, TrainBody, fare_body
from reservations.tickets.board import Checked
from reservations.tickets.page import Place, TicketView
from reservations.tickets.qr import qr_data_url
from reservations.tickets.tokens import LENGTH_MAX

Reason = Literal[
    "forged",
    "unknown-key",
    "expired",
    "not-found",
    "other-departure",
    "cancelled",
    "superseded",
    "already-boarded",
]


class PlaceBody(msgspec.Struct, frozen=True):
    """Where and when: `at` in UTC, `local` as the station's clock shows it, with its offset."""

    code: str
    name: str
    at: datetime
    local: datetime


class TicketBody(msgspec.Struct, frozen=True):
    """A ticket; `passengers` and `travel_classes` run beside `seats`. `qr` shows `token`, which
    a gate can check offline with `tickets/keys/`.
    """

    pnr: str
    ticket_number: str
    validity_status: Literal["valid", "boarded", "cancelled", "expired"]
    departure: int
    train: TrainBody
    service_date: str
    source: PlaceBody
    destination: PlaceBody
    seats: tuple[str, ...]
    travel_classes: tuple[str, ...]
    passengers: tuple[dict[str, Any] | None, ...]
    fare: FareBody
    issued_at: datetime
    boarded_at: datetime | None
    qr: str
    token: str


class KeyBody(msgspec.Struct, frozen=True):
    """A public key as a JSON Web Key (RFC 8037)."""

    kty: str
    crv: str
    kid: str
    x: str
    use: str
    alg: str


class KeysBody(msgspec.Struct, frozen=True):
    """The keys whose tickets are good, the one that signs now first."""

    keys: tuple[KeyBody, ...]


class VerifyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A ticket's token as the QR code has it, and at which departure's door it is shown."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=LENGTH_MAX)]
    departure: DepartureId | None = None


class VerifiedBody(msgspec.Struct, frozen=True):
    """`valid` once: who shows it first is in. `boarded_at` is that first time."""

    valid: bool
    pnr: str | None
    reason: Reason | None
    ticket_number: str | None
    seats: tuple[str, ...]
    boarded_at: datetime | None


def ticket_body(view: TicketView) -> TicketBody:
    return TicketBody(
        pnr=view.pnr,
        ticket_number=view.number,
        validity_status=view.validity.value,
        departure=view.departure,
        train=TrainBody(view.train_number, view.train_name),
        service_date=view.service_date,
        source=_place(view.source),
        destination=_place(view.destination),
        seats=view.seats,
        travel_classes=view.travel_classes,
        passengers=view.passengers,
        fare=fare_body(view.fare, view.currency, view.fare_parts),
        issued_at=view.issued_at,
        boarded_at=view.boarded_at,
        qr=qr_data_url(view.token),
        token=view.token,
    )


def _place(place: Place) -> PlaceBody:
    return PlaceBody(code=place.code, name=place.name, at=place.at, local=place.local)


def verified_body(checked: Checked) -> VerifiedBody:
    claims = checked.claims
    return VerifiedBody(
        valid=checked.valid,
        pnr=claims.pnr if claims else None,
        reason=checked.reason,  # type: ignore[arg-type]  # both enums' values are reasons
        ticket_number=claims.number if claims else None,
        seats=tuple(claims.seats) if claims else (),
        boarded_at=checked.boarded_at,
    )
