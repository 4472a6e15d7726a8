"""Money is exact from the data to the answer, and a fare is the sum of the parts it is shown by."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trains.classes import CLASSES, class_name, sort_key
from trains.fare_tables import read_fare_tables
from trains.fares import (
    PARTS,
    ZERO,
    ClassRates,
    Concession,
    FareTable,
    SeatFare,
    parts_of,
    seat_fare,
)
from trains.models import FareTable as FareTableRow
from trains.services.load_fares import FARES, load_fares

ONE = Decimal(1)
SLABS = ((Decimal(0), Decimal("0.57")), (Decimal(500), Decimal("0.51")))
SL = ClassRates(base=Decimal("40.00"), slabs=SLABS, reservation=Decimal("20.00"))
AC = ClassRates(
    base=Decimal("80.00"),
    slabs=((Decimal(0), Decimal("1.50")),),
    reservation=Decimal("40.00"),
    superfast=Decimal("45.00"),
    tax_percent=Decimal(5),
)
CHILD = Concession("child", Decimal(50), 0, 11)
SENIOR = Concession("senior", Decimal(40), 60, None)
LADY = Concession("lady", Decimal(50), 58, None, "Female")


def shipped() -> FareTable:
    load_fares()
    (table,) = read_fare_tables([FareTableRow.objects.get().pk])
    return table


def amounts(fare: SeatFare) -> dict[str, str]:
    return {part: str(amount) for part, amount in parts_of([fare]).items()}


def test_a_fare_is_the_sum_of_base_distance_and_charges() -> None:
    fare = seat_fare(SL, distance_km=Decimal("100.0"), factor=ONE)
    assert amounts(fare) == {"base": "40.00", "distance": "57.00", "reservation": "20.00"}
    assert fare.total == Decimal("117.00")


@pytest.mark.parametrize(
    ("distance", "amount"),
    [("0", "0.00"), ("499.9", "284.94"), ("500", "285.00"), ("500.1", "285.05"), ("700", "387.00")],
)
def test_each_kilometre_costs_what_its_slab_says(distance: str, amount: str) -> None:
    fare = seat_fare(SL, distance_km=Decimal(distance), factor=ONE)
    assert str(fare.distance) == amount


def test_a_superfast_train_costs_more_and_tax_is_on_everything() -> None:
    fare = seat_fare(AC, distance_km=Decimal(100), factor=ONE, superfast=True)
    assert amounts(fare) == {
        "base": "80.00",
        "distance": "150.00",
        "reservation": "40.00",
        "superfast": "45.00",
        "tax": "15.75",
    }


def test_a_concession_takes_from_base_and_distance_before_tax() -> None:
    fare = seat_fare(AC, distance_km=Decimal(100), factor=ONE, concession=CHILD)
    assert (str(fare.concession), str(fare.tax)) == ("-115.00", "7.75")
    assert fare.granted == "child"
    assert fare.total == Decimal("162.75")


def test_the_factor_of_a_departure_multiplies_it() -> None:
    dearer = seat_fare(SL, distance_km=Decimal(100), factor=Decimal("1.255"))
    assert dearer.total == Decimal("146.84")  # 50.20 + 71.535 -> 71.54 + 25.10


def test_halves_are_rounded_up_part_by_part() -> None:
    rates = ClassRates(base=Decimal("10.01"), slabs=((Decimal(0), Decimal("0.01")),))
    half = seat_fare(rates, distance_km=Decimal("0.5"), factor=Decimal("0.5"))
    assert (str(half.base), str(half.distance)) == ("5.01", "0.00")  # 5.005 and 0.0025


@pytest.mark.parametrize(
    ("age", "gender", "code"),
    [
        (0, None, "child"),
        (11, "male", "child"),
        (12, None, None),
        (59, "male", None),
        (60, "male", "senior"),
        (58, "FEMALE", "lady"),
        (70, "female", "lady"),
        (None, "female", None),
    ],
)
def test_the_concession_that_takes_off_most_is_granted(
    age: int | None, gender: str | None, code: str | None
) -> None:
    table = FareTable(1, 1, {}, (CHILD, SENIOR, LADY))
    granted = table.concession(age, gender)
    assert (granted.code if granted else None) == code


cents = st.decimals(0, 5_000, places=2)


@given(
    base=cents,
    per_km=st.decimals(0, 20, places=4),
    charges=st.tuples(cents, cents),
    tax=st.decimals(0, 100, places=2),
    distance_km=st.decimals(0, 50_000, places=1),
    factor=st.decimals(0, 100, places=3),
    percent=st.decimals(0, 100, places=2),
)
def test_a_fare_is_exact_to_the_cent_adds_up_and_is_never_negative(  # noqa: PLR0917
    base: Decimal,
    per_km: Decimal,
    charges: tuple[Decimal, Decimal],
    tax: Decimal,
    distance_km: Decimal,
    factor: Decimal,
    percent: Decimal,
) -> None:
    rates = ClassRates(base, ((Decimal(0), per_km),), *charges, tax)
    concession = Concession("any", percent, 0, None)
    fare = seat_fare(
        rates, distance_km=distance_km, factor=factor, superfast=True, concession=concession
    )
    parts = [getattr(fare, part) for part in PARTS]
    assert {part.as_tuple().exponent for part in parts} == {-2}
    assert fare.total == sum(parts, ZERO) >= 0
    carried = (base + per_km * distance_km) * factor * (1 - percent / 100)
    exact = (carried + sum(charges, ZERO) * factor) * (1 + tax / 100)
    assert abs(fare.total - exact) < Decimal("0.08")  # six parts, each off by half a cent at most


@pytest.mark.parametrize("distance", [Decimal(-1), Decimal("-0.1")])
def test_a_negative_distance_is_refused(distance: Decimal) -> None:
    with pytest.raises(ValueError, match="negative"):
        seat_fare(SL, distance_km=distance, factor=ONE)


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError):
        seat_fare(SL, distance_km=1.5, factor=ONE)


def test_no_amount_in_the_shipped_file_is_a_json_number() -> None:
    seen: list[str] = []
    json.loads(FARES.read_text(), parse_float=seen.append)
    assert seen == []


@pytest.mark.django_db
@pytest.mark.parametrize("amount", [1.5, 2, "-1", "NaN", "Infinity"])
def test_a_fare_file_with_an_inexact_or_odd_amount_is_refused(
    tmp_path: Path, amount: object
) -> None:
    FareTableRow.objects.all().delete()
    data = json.loads(FARES.read_text())
    data["classes"]["SL"]["base"] = amount
    file = tmp_path / "fares.json"
    file.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="fare of SL"):
        load_fares(file)
    assert not FareTableRow.objects.exists()


@pytest.mark.django_db
def test_the_shipped_table_is_read_as_it_was_written() -> None:
    table = shipped()
    assert set(CLASSES) < set(table.classes)
    assert table.rates("XYZ") == ClassRates(Decimal(20), ((Decimal(0), Decimal("0.5")),))
    assert table.rates("SL") == ClassRates(
        Decimal(40),
        (
            (Decimal(0), Decimal("0.57")),
            (Decimal(500), Decimal("0.51")),
            (Decimal(1500), Decimal("0.44")),
        ),
        Decimal(20),
        Decimal(30),
    )
    assert {each.code for each in table.concessions} == {"child", "senior"}


@pytest.mark.django_db
def test_the_shipped_table_is_loaded_once_and_never_over_the_staffs_own() -> None:
    assert FareTableRow.objects.count() == 1
    FareTableRow.objects.update(name="Our own")
    assert load_fares() is False
    assert FareTableRow.objects.get().name == "Our own"


@pytest.mark.django_db
def test_the_order_of_classes_is_that_of_their_fares() -> None:
    table = shipped()
    rail = [code for code in CLASSES if code not in {"BERTH", "SEAT"}]

    def trip(code: str) -> Decimal:
        rates = table.rates(code)
        assert rates is not None
        return seat_fare(rates, distance_km=Decimal(500), factor=ONE).total

    assert sorted(rail, key=sort_key) == sorted(rail, key=lambda code: -trip(code))


def test_unknown_classes_come_last_under_their_own_code() -> None:
    assert sorted(["ZZ", "GEN", "AB", "1A"], key=sort_key) == ["1A", "GEN", "AB", "ZZ"]
    assert class_name("ZZ") == "ZZ"
    assert class_name("SL") == "Sleeper"
