"""Answers of DRF views: money as strings, times in UTC, whoever put them there."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from config.http.rendering import ContractJSONRenderer

INDIA = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (Decimal("450.00"), "450.00"),
        (Decimal("0.10"), "0.10"),
        (datetime(2026, 1, 2, 8, 0, tzinfo=INDIA), "2026-01-02T02:30:00Z"),
        (datetime(2026, 1, 2, 2, 30, tzinfo=UTC), "2026-01-02T02:30:00Z"),
    ],
)
def test_values_no_serializer_has_seen_follow_the_contract(value: object, sent: str) -> None:
    assert json.loads(ContractJSONRenderer().render({"value": value})) == {"value": sent}
