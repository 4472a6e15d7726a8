"""What a seat costs: a pure function of a fare table, a trip and a concession.

Money is exact: decimals from the data (where they are strings or NUMERIC) to the answer, never a
float. The unit is one seat for one passenger. Rounding rule "half up, part by part": each part is
rounded to 0.01, halves away from zero, and the fare is the sum of its parts, so that what is shown
adds up.

    base          of the class
    distance      each kilometre at the rate of the slab it lies in
    reservation   of the class
    superfast     of the class, where the train is superfast
    concession    percent of base and distance, negative
    tax           percent of all of the above

The departure's factor multiplies base, distance, reservation and superfast.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property, lru_cache
from typing import Final

CENT: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")
PARTS: Final = ("base", "distance", "reservation", "superfast", "concession", "tax")
ANY_CLASS: Final = ""
"""The rates of classes that a table does not name."""


@dataclass(frozen=True, slots=True)
class ClassRates:
    """Amounts in CURRENCY. `slabs` are (beyond km, rate per km), the first beyond 0, ascending."""

    base: Decimal
    slabs: tuple[tuple[Decimal, Decimal], ...]
    reservation: Decimal = ZERO
    superfast: Decimal = ZERO
    tax_percent: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Concession:
    """Less to pay for passengers of `from_age` to `to_age` (None: no end), both included.

    `gender` "" is anybody; else it is compared without regard to case.
    """

    code: str
    percent: Decimal
    from_age: int
    to_age: int | None
    gender: str = ""

    def suits(self, age: int, gender: str | None) -> bool:
        if age < self.from_age or (self.to_age is not None and age > self.to_age):
            return False
        return not self.gender or self.gender.casefold() == (gender or "").casefold()


@dataclass(frozen=True, eq=False)
class FareTable:
    """The fares of the service dates it is valid on; compared by identity.

    `accompanied_below_age`: a passenger younger than that needs one of at least `adult_from_age`
    in the same party; None asks for nobody.
    """

    id: int
    revision: int
    classes: Mapping[str, ClassRates]
    concessions: tuple[Concession, ...] = ()
    adult_from_age: int = 18
    accompanied_below_age: int | None = None

    def rates(self, travel_class: str) -> ClassRates | None:
        """The rates of a class, or of the classes not named; None is a gap."""
        return self.classes.get(travel_class) or self.classes.get(ANY_CLASS)

    def concession(self, age: int | None, gender: str | None) -> Concession | None:
        """The one that takes off most, or None."""
        if age is None:
            return None
        fitting = [each for each in self.concessions if each.suits(age, gender)]
        return max(fitting, key=lambda each: (each.percent, each.code), default=None)

    def named(self, code: str) -> Concession | None:
        return next((each for each in self.concessions if each.code == code), None)


@dataclass(frozen=True)
class SeatFare:
    """The fare of one seat, by its parts. `granted` is the code of the concession, or ""."""

    base: Decimal
    distance: Decimal
    reservation: Decimal = ZERO
    superfast: Decimal = ZERO
    concession: Decimal = ZERO
    tax: Decimal = ZERO
    granted: str = ""

    @cached_property
    def total(self) -> Decimal:
        return sum((getattr(self, part) for part in PARTS), ZERO)

    def as_text(self) -> dict[str, str]:
        """Its parts as decimal strings, those of nothing left out, and the concession granted."""
        parts = {part: str(amount) for part in PARTS if (amount := getattr(self, part))}
        return {**parts, **({"granted": self.granted} if self.granted else {})}


def parts_of(fares: Iterable[SeatFare]) -> dict[str, Decimal]:
    """What several seats come to, part by part; parts of nothing are left out."""
    fares = list(fares)
    sums = {part: sum((getattr(fare, part) for fare in fares), ZERO) for part in PARTS}
    return {part: amount for part, amount in sums.items() if amount}


@lru_cache(maxsize=65_536)
def seat_fare(
    rates: ClassRates,
    *,
    distance_km: Decimal,
    factor: Decimal,
    superfast: bool = False,
    concession: Concession | None = None,
) -> SeatFare:
    """The fare of one seat in CURRENCY.

    `factor` is the departure's `fare_factor`. Raises `ValueError` for a negative distance or
    factor, `TypeError` for a float.
    """
    if isinstance(distance_km, float) or isinstance(factor, float):
        raise TypeError("a fare is made of decimals, not of floats")
    if distance_km < 0 or factor < 0:
        raise ValueError("distance and factor of a fare must not be negative")
    base = _cents(rates.base * factor)
    distance = _cents(_by_slabs(rates.slabs, distance_km) * factor)
    reservation = _cents(rates.reservation * factor)
    extra = _cents(rates.superfast * factor) if superfast else ZERO
    less = -_cents((base + distance) * concession.percent / 100) if concession else ZERO
    taxed = base + distance + reservation + extra + less
    return SeatFare(
        base=base,
        distance=distance,
        reservation=reservation,
        superfast=extra,
        concession=less,
        tax=_cents(taxed * rates.tax_percent / 100),
        granted=concession.code if concession else "",
    )


def _by_slabs(slabs: tuple[tuple[Decimal, Decimal], ...], distance_km: Decimal) -> Decimal:
    """Each kilometre at the rate of the slab it lies in."""
    amount = Decimal(0)
    for index, (beyond, per_km) in enumerate(slabs):
        end = slabs[index + 1][0] if index + 1 < len(slabs) else distance_km
        amount += max(min(distance_km, end) - beyond, Decimal(0)) * per_km
    return amount


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)
