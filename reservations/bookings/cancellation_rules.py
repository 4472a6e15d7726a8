"""What goes back of a fare that was paid: a pure function of rules, hours left and seat fares.

Rules are dated data: those of the table that is valid on the departure's *service date*, as they
are when the seats are given back. Money is exact; what is kept of a seat is rounded to 0.01,
halves up, seat by seat, so that seats given back one by one come to what they come to together.

    boarding - 48 h      - 12 h           - 4 h          boards
        full      | quarter-kept  | half-kept  |  none   | departed: nothing
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from django.db.models import Q

from reservations.models import CancellationRule
from trains.fares import CENT, ZERO

Gives = CancellationRule.Gives


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Counts while at least `from_hours` are left. `kept_minimum` is for one seat."""

    code: str
    from_hours: int
    gives: str
    kept_percent: Decimal = ZERO
    kept_minimum: Decimal = ZERO

    def kept_of(self, fare: Decimal) -> Decimal:
        """What the house keeps of one seat's fare."""
        if self.gives == Gives.FULL:
            return ZERO
        if self.gives == Gives.NONE:
            return fare
        share = (fare * self.kept_percent / 100).quantize(CENT, rounding=ROUND_HALF_UP)
        return min(max(share, self.kept_minimum), fare)


DEPARTED: Final = Rule(code="departed", from_hours=0, gives=Gives.NONE)
"""After the train has left where the traveller boards nothing goes back, whatever a table says."""
NO_RULE: Final = Rule(code="no-rule", from_hours=0, gives=Gives.NONE)
"""No table is valid on the service date, or none of its rules fits: nothing goes back by itself."""


def rule_at(rules: Sequence[Rule], left: timedelta) -> Rule:
    """The rule with `left` to go until boarding; moments count, not whole hours."""
    if left <= timedelta(0):
        return DEPARTED
    fitting = [each for each in rules if left >= timedelta(hours=each.from_hours)]
    return max(fitting, key=lambda each: each.from_hours, default=NO_RULE)


def read_rules(service_date: date) -> list[Rule]:
    """The rules valid on a service date, as they are now; one query."""
    rows = CancellationRule.objects.filter(
        Q(table__valid_to=None) | Q(table__valid_to__gte=service_date),
        table__valid_from__lte=service_date,
    )
    return [
        Rule(
            code=row.code,
            from_hours=row.from_hours,
            gives=row.gives,
            kept_percent=row.kept_percent,
            kept_minimum=row.kept_minimum,
        )
        for row in rows
    ]


def refund_by(rule: Rule, fares: Sequence[Decimal]) -> Decimal:
    """What goes back of seats that cost so much each."""
    return sum((fare - rule.kept_of(fare) for fare in fares), ZERO)
