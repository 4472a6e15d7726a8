"""Money is exact from the data file to the answer."""

import ast
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trains import fares
from trains.classes import CLASSES, class_name, sort_key
from trains.fares import fare, read_table

ONE = Decimal(1)


def test_base_plus_rate_per_kilometre() -> None:
    assert fare(travel_class="SL", distance_km=Decimal("100.0"), factor=ONE) == Decimal("97.00")


def test_the_factor_of_a_departure_multiplies_it() -> None:
    dearer = fare(travel_class="SL", distance_km=Decimal(100), factor=Decimal("1.255"))
    assert dearer == Decimal("121.74")  # 97.00 * 1.255 = 121.735


def test_halves_are_rounded_up() -> None:
    # 10.00 + 0.28 * 0.5 = 10.14; times 0.5 = 5.07; times 0.25 = 2.535
    half = fare(travel_class="GEN", distance_km=Decimal("0.5"), factor=Decimal("0.25"))
    assert str(half) == "2.54"


def test_an_unknown_class_has_the_default_rate() -> None:
    assert fare(travel_class="XYZ", distance_km=Decimal(10), factor=ONE) == Decimal("25.00")


@given(
    travel_class=st.sampled_from([*CLASSES, "XYZ"]),
    distance_km=st.decimals(0, 50_000, places=1),
    factor=st.decimals(0, 100, places=3),
)
def test_a_fare_is_exact_to_the_cent_and_never_negative(
    travel_class: str, distance_km: Decimal, factor: Decimal
) -> None:
    amount = fare(travel_class=travel_class, distance_km=distance_km, factor=factor)
    rate = fares._TABLE.rate(travel_class)
    exact = (rate.base + rate.per_km * distance_km) * factor
    assert isinstance(amount, Decimal)
    assert amount.as_tuple().exponent == -2
    assert abs(amount - exact) <= Decimal("0.005")
    assert amount >= 0


@pytest.mark.parametrize("distance", [Decimal(-1), Decimal("-0.1")])
def test_a_negative_distance_is_refused(distance: Decimal) -> None:
    with pytest.raises(ValueError, match="negative"):
        fare(travel_class="SL", distance_km=distance, factor=ONE)


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError):
        fare(travel_class="SL", distance_km=1.5, factor=ONE)  # type: ignore[arg-type]


def test_no_float_is_written_in_the_module_or_in_the_file() -> None:
    source = Path(fares.__file__).read_text()
    for node in ast.walk(ast.parse(source)):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
        assert not (isinstance(node, ast.Name) and node.id == "float")
    seen: list[str] = []
    json.loads(fares.FARES.read_text(), parse_float=seen.append, parse_int=seen.append)
    assert seen == []


@pytest.mark.parametrize("amount", [1.5, 2, "-1", "NaN", "Infinity"])
def test_a_fare_file_with_an_inexact_or_odd_amount_is_refused(
    tmp_path: Path, amount: object
) -> None:
    file = tmp_path / "fares.json"
    row = {"base": "1.00", "per_km": "0.10"}
    file.write_text(json.dumps({"default": row, "classes": {"SL": {**row, "base": amount}}}))
    with pytest.raises(ValueError, match="fare of SL"):
        read_table(file)


def test_every_class_we_name_has_a_rate_of_its_own() -> None:
    assert set(CLASSES) == set(fares._TABLE.rates)


def test_the_order_of_classes_is_that_of_their_fares() -> None:
    trip = {code: fare(travel_class=code, distance_km=Decimal(500), factor=ONE) for code in CLASSES}
    rail = [code for code in CLASSES if code not in {"BERTH", "SEAT"}]
    assert sorted(rail, key=sort_key) == sorted(rail, key=lambda code: -trip[code])


def test_unknown_classes_come_last_under_their_own_code() -> None:
    assert sorted(["ZZ", "GEN", "AB", "1A"], key=sort_key) == ["1A", "GEN", "AB", "ZZ"]
    assert class_name("ZZ") == "ZZ"
    assert class_name("SL") == "Sleeper"
