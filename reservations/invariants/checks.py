"""The checks of the engine, and running them."""

from collections.abc import Sequence
from typing import Final

from reservations.invariants.holds import HOLD_CHECKS
from reservations.invariants.images import IMAGE_CHECK
from reservations.invariants.judging import Check, Result, Scope, judge
from reservations.invariants.rows import ROW_CHECKS

ENGINE_CHECKS: Final[Sequence[Check]] = (*ROW_CHECKS, IMAGE_CHECK, *HOLD_CHECKS)


def check_engine(scope: Scope) -> list[Result]:
    """Make every check of the engine. Never raises for a store that is away: the result says so."""
    return [judge(check, scope) for check in ENGINE_CHECKS]
