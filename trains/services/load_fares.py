"""Give a database without fare tables its first one, so that seats can be sold at all."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from trains.models import ClassFare, FareConcession, FareSlab, FareTable

FARES: Final = Path(__file__).resolve().parent.parent / "data" / "fares.json"


def load_fares(path: Path = FARES) -> bool:
    """Make the shipped table if there is none at all; whether it was made.

    Called after every migration. Amounts in the file are strings. Raises `ValueError` for one
    that is not.
    """
    if FareTable.objects.exists():
        return False
    data = json.loads(path.read_text(encoding="utf-8"))
    with transaction.atomic():
        table = FareTable.objects.create(
            name=data["name"],
            valid_from=date.fromisoformat(data["valid_from"]),
            adult_from_age=data["adult_from_age"],
            accompanied_below_age=data["accompanied_below_age"],
        )
        rows = {"": data["default"], **data["classes"]}
        made = ClassFare.objects.bulk_create(
            ClassFare(table=table, travel_class=code, **_amounts(code, row))
            for code, row in rows.items()
        )
        FareSlab.objects.bulk_create(
            FareSlab(class_fare=each, beyond_km=_exact(each, beyond), per_km=_exact(each, per_km))
            for each in made
            for beyond, per_km in rows[each.travel_class].get("slabs", ())
        )
        FareConcession.objects.bulk_create(
            FareConcession(table=table, **{**row, "percent": _exact("concession", row["percent"])})
            for row in data["concessions"]
        )
    return True


def _amounts(code: str, row: dict[str, Any]) -> dict[str, Decimal]:
    return {name: _exact(code, value) for name, value in row.items() if name != "slabs"}


def _exact(of: object, text: object) -> Decimal:
    if not isinstance(text, str):
        raise ValueError(f"fare of {of}: write {text!r} as a string, it must stay exact")  # noqa: TRY004  # the file's content is wrong, not a caller's type
    amount = Decimal(text)
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"fare of {of}: {text} is no amount")
    return amount
