"""Give a database without cancellation rules its first ones."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from reservations.models import CancellationRule, CancellationTable

RULES: Final = Path(__file__).resolve().parent.parent / "data" / "cancellation.json"


def load_cancellation_rules(path: Path = RULES) -> bool:
    """Make the shipped table if there is none at all; whether it was made.

    Called after every migration. Amounts in the file are strings. Raises `ValueError` for one that
    is not.
    """
    if CancellationTable.objects.exists():
        return False
    data = json.loads(path.read_text(encoding="utf-8"))
    with transaction.atomic():
        table = CancellationTable.objects.create(
            name=data["name"], valid_from=date.fromisoformat(data["valid_from"])
        )
        CancellationRule.objects.bulk_create(
            CancellationRule(table=table, **_exact(row)) for row in data["rules"]
        )
    return True


def _exact(row: dict[str, Any]) -> dict[str, Any]:
    amounts = {name: row[name] for name in ("kept_percent", "kept_minimum") if name in row}
    for name, text in amounts.items():
        if not isinstance(text, str):
            raise ValueError(f"{row['code']}: write {name} {text!r} as a string, to stay exact")  # noqa: TRY004  # the file's content is wrong, not a caller's type
    return row | {name: Decimal(text) for name, text in amounts.items()}
