"""What the call that changes a booking takes and gives."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from reservations.api.bodies import BookingBody, Code, DepartureId, Label, Money, booking_body
from reservations.services.change_booking import Changed
from reservations.services.charge_difference import Due


class ChangeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Other seats for the same people. `instead_of`: the seats given up; left out: all. `seats`
    run beside them; left out: the best of `travel_class`, or of the class they are of. To another
    `departure`, or stretch, all seats go together. `provider`, `method`: how a difference is paid.
    """

    seats: Annotated[tuple[Label, ...], msgspec.Meta(max_length=100)] = ()
    instead_of: Annotated[tuple[Label, ...], msgspec.Meta(max_length=100)] = ()
    departure: DepartureId | None = None
    source: Code | None = None
    destination: Code | None = None
    travel_class: Annotated[str, msgspec.Meta(min_length=1, max_length=8)] | None = None
    preference: Literal["together", "window", "any"] = "together"
    provider: Annotated[str, msgspec.Meta(max_length=20)] = ""
    method: Annotated[str, msgspec.Meta(max_length=40)] = ""


class ChangeRefund(msgspec.Struct, frozen=True):
    """What goes back. `status`: none; due, by the gateway; by-hand, where no payment was taken."""

    amount: str
    currency: str
    status: str


class DueBody(msgspec.Struct, frozen=True):
    """Pay this first, until `expires_at`: `next` says how. Then the change is made by itself."""

    payment: str
    amount: str
    currency: str
    next: dict[str, Any]
    expires_at: datetime


class ChangedBody(msgspec.Struct, frozen=True):
    """`status`: changed; payment, the booking has its old seats until `due` is paid. `difference`:
    what the new seats cost more, negative: less.
    """

    pnr: str
    status: Literal["changed", "payment"]
    difference: Money
    refund: ChangeRefund
    booking: BookingBody
    due: DueBody | None = None


def changed_body(changed: Changed) -> ChangedBody:
    view, due = changed.booking, changed.due
    return ChangedBody(
        pnr=view.pnr,
        status="changed" if due is None else "payment",
        difference=Money(changed.difference, view.currency),
        refund=ChangeRefund(str(changed.refund.amount), view.currency, changed.refund.status),
        booking=booking_body(view),
        due=None if due is None else _due_body(due),
    )


def _due_body(due: Due) -> DueBody:
    return DueBody(due.payment, str(due.amount), due.currency, due.next_step, due.expires_at)
