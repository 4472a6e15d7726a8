"""What a seat costs: base plus rate per kilometre of its class, times the departure's factor.

Money is exact: decimals from the data file (where they are strings) to the answer, never a float.
"""

import json
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Final

FARES: Final = Path(__file__).resolve().parent / "data" / "fares.json"
CENT: Final = Decimal("0.01")


@dataclass(frozen=True)
class Rate:
    """Amounts in CURRENCY: `base` for every seat, `per_km` for each kilometre."""

    base: Decimal
    per_km: Decimal


@dataclass(frozen=True)
class FareTable:
    """The rates by class, and the one for classes it does not name."""

    rates: dict[str, Rate]
    default: Rate

    def rate(self, travel_class: str) -> Rate:
        return self.rates.get(travel_class, self.default)


def read_table(path: Path) -> FareTable:
    """Read a fare file. Raises `ValueError` for an amount that is not an exact decimal >= 0."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return FareTable(
        rates={code: _rate(code, row) for code, row in data["classes"].items()},
        default=_rate("default", data["default"]),
    )


def _rate(code: str, row: dict[str, str]) -> Rate:
    return Rate(base=_amount(code, row["base"]), per_km=_amount(code, row["per_km"]))


def _amount(code: str, text: object) -> Decimal:
    if not isinstance(text, str):
        raise ValueError(f"fare of {code}: write {text!r} as a string, it must stay exact")  # noqa: TRY004  # the file's content is wrong, not a caller's type
    amount = Decimal(text)
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"fare of {code}: {text} is no amount")
    return amount


_TABLE: Final = read_table(FARES)


def fare(*, travel_class: str, distance_km: Decimal, factor: Decimal) -> Decimal:
    """The fare of one seat in CURRENCY, to 0.01, halves rounded up.

    `factor` is the departure's `fare_factor`. Raises `ValueError` for a negative distance or
    factor, `TypeError` for a float.
    """
    if distance_km < 0 or factor < 0:
        raise ValueError("distance and factor of a fare must not be negative")
    rate = _TABLE.rate(travel_class)
    amount: Decimal = (rate.base + rate.per_km * distance_km) * factor
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)
