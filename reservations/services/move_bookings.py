"""Bookings change hands when an account proves that it is the guest who made them."""

from collections.abc import Sequence

from reservations.models import Booking


def move_bookings(owners: Sequence[int], account: int) -> list[str]:
    """The bookings of these accounts are that account's from now on; their PNRs.

    Live holds stay whose they are: their ids name the owner, and they are over in minutes.
    """
    mine = Booking.objects.filter(owner__in=owners)
    pnrs = [str(pnr) for pnr in mine.order_by("pk").values_list("pnr", flat=True)]
    mine.update(owner=account)
    return pnrs
