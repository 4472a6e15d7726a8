"""Load the vehicle templates that come with the product."""

import json
from pathlib import Path
from typing import Final

from trains import layouts
from trains.models import VehicleTemplate

VEHICLES: Final = Path(__file__).resolve().parent.parent / "data" / "vehicles.json"


def load_templates() -> int:
    """Add the shipped templates that are missing and return how many were.

    Safe to repeat: a template that exists is left alone, staff may have changed it.
    """
    shipped = json.loads(VEHICLES.read_text(encoding="utf-8"))
    present = set(VehicleTemplate.objects.values_list("code", flat=True))
    missing = [VehicleTemplate(**entry) for entry in shipped if entry["code"] not in present]
    for template in missing:
        layouts.parse(template.layout)
    VehicleTemplate.objects.bulk_create(missing, ignore_conflicts=True)
    return len(missing)
