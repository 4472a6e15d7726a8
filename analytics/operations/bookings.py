"""Any booking there is."""

from dataclasses import dataclass

from django.db.models import QuerySet

from reservations.bookings.views import BookingView, view_bookings
from reservations.models import Booking


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which bookings; what is None does not narrow them down."""

    pnr: str | None = None
    user: int | None = None
    departure: int | None = None
    status: str | None = None


@dataclass(frozen=True, kw_only=True)
class StaffBooking:
    """A booking as its owner sees it, and who that is."""

    user: int | None
    booking: BookingView


def find_bookings(*, asked: Asked, limit: int, offset: int) -> tuple[int, list[StaffBooking]]:
    """How many bookings there are, and one page of them, latest first; a fixed number of queries.

    A `void` row is no booking and is shown to nobody.
    """
    bookings = _select(asked)
    page = list(bookings.order_by("-pk")[offset : offset + limit])
    views = view_bookings(page)
    return bookings.count(), [
        StaffBooking(user=booking.owner_id, booking=view)
        for booking, view in zip(page, views, strict=True)
    ]


def _select(asked: Asked) -> "QuerySet[Booking]":
    bookings = Booking.objects.exclude(status=Booking.Status.VOID)
    if asked.pnr is not None:
        bookings = bookings.filter(pnr=asked.pnr)
    if asked.user is not None:
        bookings = bookings.filter(owner=asked.user)
    if asked.departure is not None:
        bookings = bookings.filter(departure=asked.departure)
    if asked.status is not None:
        bookings = bookings.filter(status=asked.status)
    return bookings
