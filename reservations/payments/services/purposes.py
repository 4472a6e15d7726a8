"""What else may be paid for than a hold: a seam for whoever sells it.

A hold is the payments' own matter. Apps that may be left out, and live above, register the rest.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from config.errors import Invalid
from reservations.payments.models import Payment
from reservations.payments.states import Outcome, Purpose
from reservations.services.hold_seats import Owner

Finish = Callable[[Payment], Outcome]
"""Decide what a captured payment becomes; called again until it is decided or kept."""


class Start(Protocol):
    """Begin the payment for the owner's thing of this name, or find the one begun."""

    def __call__(self, *, owner: Owner, name: str, provider: str, method: str) -> Payment: ...


_finishers: dict[str, Finish] = {}
_starters: dict[str, Start] = {}


def register(purpose: Purpose, *, finish: Finish, start: Start | None = None) -> None:
    """`start`: where clients may begin such a payment by the thing's name."""
    _finishers[purpose] = finish
    if start is not None:
        _starters[purpose] = start


def finisher_of(purpose: str) -> Finish | None:
    """None: nobody here sells that any more."""
    return _finishers.get(purpose)


def starter_of(purpose: Purpose, *, field: str) -> Start:
    """Raises `Invalid` (the body's `field`): this is not sold here."""
    starters: Mapping[str, Start] = _starters
    if purpose not in starters:
        raise Invalid({field: ["There is nothing of this kind to pay for here."]})
    return starters[purpose]
