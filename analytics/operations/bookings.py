"""Any booking there is."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from reservations.bookings.views import BookingView, view_bookings
from reservations.models import BookedSeat, Booking
from users.models import User

# A name may be anywhere in a passenger's, which no index finds: it is looked for so long, which is
# less than a request waits for any statement (DATABASE_TIMEOUT_SECONDS).
SEARCH_SECONDS: Final = 2
PEOPLE_MOST: Final = 200


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which bookings; what is None does not narrow them down.

    `name`: of the account (its beginning) or of a passenger (any part).
    """

    pnr: str | None = None
    user: int | None = None
    departure: int | None = None
    status: str | None = None
    name: str | None = None
    train: str | None = None
    service_date: date | None = None


@dataclass(frozen=True, kw_only=True)
class StaffBooking:
    """A booking as its owner sees it, and who that is."""

    user: int | None
    booking: BookingView


def find_bookings(*, asked: Asked, limit: int, offset: int) -> tuple[int, list[StaffBooking]]:
    """How many bookings there are, and one page of them, latest first; a fixed number of queries.

    A `void` row is no booking and is shown to nobody. Raises `django.db.OperationalError` for a
    name that takes longer than SEARCH_SECONDS: more must be said.
    """
    bookings = _select(asked)
    with transaction.atomic():
        if asked.name is not None:
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{SEARCH_SECONDS}s'")
        page = list(bookings.order_by("-pk")[offset : offset + limit])
        count = bookings.count()
    views = view_bookings(page)
    return count, [
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
    if asked.train is not None:
        bookings = bookings.filter(departure__train__number=asked.train)
    if asked.service_date is not None:
        bookings = bookings.filter(departure__service_date=asked.service_date)
    if asked.name is not None:
        bookings = bookings.filter(_named(asked.name))
    return bookings


def _named(name: str) -> Q:
    people = User.objects.filter(
        Q(username__istartswith=name)
        | Q(email__istartswith=name)
        | Q(first_name__istartswith=name)
        | Q(last_name__istartswith=name)
    )
    travelling = BookedSeat.objects.filter(passenger__name__icontains=name)
    owners = list(people.values_list("pk", flat=True)[:PEOPLE_MOST])
    return Q(owner__in=owners) | Q(pk__in=travelling.values("booking"))
