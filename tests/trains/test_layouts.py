"""Vehicle layouts: one format, judged in one place."""

import copy
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from config.errors import Invalid
from trains import layouts
from trains.models import VehicleTemplate
from trains.services.load_templates import load_templates

GOOD: dict[str, Any] = {
    "unit": "row",
    "capacity": 40,
    "seats": [{"position": "window", "x": 0, "y": 0}, {"position": "aisle", "x": 1, "y": 0}],
}


def test_a_good_layout_is_read() -> None:
    layout = layouts.parse(GOOD)
    assert (layout.unit, layout.capacity, len(layout.seats)) == ("row", 40, 2)
    layouts.validate(GOOD)


def _with(path: tuple[Any, ...], value: Any) -> Any:
    data: Any = copy.deepcopy(GOOD)
    if not path:
        return value
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), None),
        ((), []),
        ((), "row"),
        (("unit",), "deck"),
        (("capacity",), 0),
        (("capacity",), 2001),
        (("capacity",), 2**70),
        (("capacity",), "40"),
        (("capacity",), True),
        (("seats",), []),
        (("seats",), GOOD["seats"] * 13),
        (("seats", 0, "position"), "roof"),
        (("seats", 0, "position"), "window\0"),
        (("seats", 0, "x"), -1),
        (("seats", 0, "x"), 0.5),
        (("seats", 0, "x"), 41),
        (("seats", 0, "x"), 1),  # where the other seat stands
        (("seats", 0, "deck"), 3),
        (("seats", 0, "colour"), "red"),
        (("wheels",), 4),
    ],
)
def test_anything_else_is_refused(path: tuple[Any, ...], value: Any) -> None:
    with pytest.raises(Invalid):
        layouts.parse(_with(path, value))
    with pytest.raises(ValidationError):
        layouts.validate(_with(path, value))


@pytest.mark.django_db
def test_the_shipped_templates_are_good_and_loaded_once() -> None:
    assert load_templates() == 9
    assert load_templates() == 0
    for template in VehicleTemplate.objects.all():
        template.full_clean()


@pytest.mark.django_db
def test_a_template_that_staff_changed_stays_changed() -> None:
    load_templates()
    VehicleTemplate.objects.filter(code="SL-72").update(name="Ours")
    load_templates()
    assert VehicleTemplate.objects.get(code="SL-72").name == "Ours"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "capacity", "unit", "positions"),
    [
        ("SL-72", 72, 8, {"lower", "middle", "upper", "side-lower", "side-upper"}),
        ("3A-64", 64, 8, {"lower", "middle", "upper", "side-lower", "side-upper"}),
        ("3A-72", 72, 8, {"lower", "middle", "upper", "side-lower", "side-upper"}),
        ("2A-48", 48, 6, {"lower", "upper", "side-lower", "side-upper"}),
        ("CC-78", 78, 5, {"window", "middle", "aisle"}),
        ("2S-108", 108, 6, {"window", "middle", "aisle"}),
        ("GEN-90", 90, 6, {"window", "middle", "aisle"}),
        ("BUS-2x2-40", 40, 4, {"window", "aisle"}),
        ("BUS-SLEEPER-30", 30, 6, {"lower", "upper"}),
    ],
)
def test_what_the_shipped_templates_look_like(
    code: str, capacity: int, unit: int, positions: set[str]
) -> None:
    load_templates()
    layout = layouts.parse(VehicleTemplate.objects.get(code=code).layout)
    assert (layout.capacity, len(layout.seats)) == (capacity, unit)
    assert {seat.position for seat in layout.seats} == positions
