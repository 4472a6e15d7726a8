"""Why a traveller may not give seats back any more: a seam for apps that may be left out."""

from collections.abc import Callable

from reservations.errors import IllegalState
from reservations.models import Booking

Objection = Callable[[Booking], IllegalState | None]
_objections: list[Objection] = []


def register(objection: Objection) -> None:
    if objection not in _objections:
        _objections.append(objection)


def refuse_if_used(booking: Booking) -> None:
    """Raises `IllegalState`. The caller holds the booking's lock."""
    for objection in _objections:
        if (refused := objection(booking)) is not None:
            raise refused
