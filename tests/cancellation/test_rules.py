"""What goes back: pure, exact, by the hours left; the rules are dated data that staff edit."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from config.outbox.models import OutboxEvent
from reservations.bookings.cancellation_rules import Rule, read_rules, refund_by, rule_at
from reservations.models import CancellationRule, CancellationTable
from reservations.services.change_cancellation_rules import note_changed_rules
from reservations.services.load_cancellation_rules import RULES, load_cancellation_rules
from tests.reservations.test_fare_tables import fields_of, office

__all__ = ["office"]

FULL = Rule(code="full", from_hours=48, gives="full")
QUARTER = Rule(
    code="quarter-kept",
    from_hours=12,
    gives="percentage",
    kept_percent=Decimal(25),
    kept_minimum=Decimal("60.00"),
)
NONE = Rule(code="none", from_hours=0, gives="none")
LATER = Rule(code="late", from_hours=2, gives="percentage", kept_percent=Decimal("33.33"))
RULES_OF_TEST = [NONE, LATER, QUARTER, FULL]


@pytest.mark.parametrize(
    ("left", "code"),
    [
        (timedelta(hours=48), "full"),
        (timedelta(hours=48) - timedelta.resolution, "quarter-kept"),
        (timedelta(hours=12), "quarter-kept"),
        (timedelta(hours=11, minutes=59), "late"),
        (timedelta.resolution, "none"),
        (timedelta(0), "departed"),
        (-timedelta(hours=1), "departed"),
    ],
)
def test_the_rule_with_most_hours_that_fit_counts(left: timedelta, code: str) -> None:
    assert rule_at(RULES_OF_TEST, left).code == code


def test_hours_no_rule_is_for_give_nothing_back() -> None:
    assert rule_at([FULL], timedelta(hours=3)).code == "no-rule"
    assert refund_by(rule_at([], timedelta(days=9)), [Decimal("890.00")]) == 0


@pytest.mark.parametrize(
    ("rule", "fare", "refund"),
    [
        (FULL, "890.00", "890.00"),
        (NONE, "890.00", "0.00"),
        (QUARTER, "890.00", "667.50"),
        (QUARTER, "100.00", "40.00"),  # a quarter is less than the minimum
        (QUARTER, "45.00", "0.00"),  # the minimum is more than the fare
        (LATER, "0.05", "0.03"),  # 0.016665 kept, halves up
        (LATER, "10.00", "6.67"),
    ],
)
def test_what_is_kept_is_a_share_with_a_minimum_and_never_more_than_the_fare(
    rule: Rule, fare: str, refund: str
) -> None:
    assert str(refund_by(rule, [Decimal(fare)])) == refund


@given(
    fares=st.lists(st.decimals(min_value=0, max_value=99_999, places=2), min_size=1, max_size=6),
    percent=st.decimals(min_value=0, max_value=100, places=2),
    minimum=st.decimals(min_value=0, max_value=500, places=2),
)
def test_seats_given_back_one_by_one_come_to_what_they_come_to_together(
    fares: list[Decimal], percent: Decimal, minimum: Decimal
) -> None:
    rule = Rule(
        code="x", from_hours=0, gives="percentage", kept_percent=percent, kept_minimum=minimum
    )
    together = refund_by(rule, fares)
    assert together == sum((refund_by(rule, [fare]) for fare in fares), Decimal(0))
    assert 0 <= together <= sum(fares, Decimal(0))
    assert together == together.quantize(Decimal("0.01"))


@pytest.mark.django_db
def test_a_new_database_has_rules_and_they_are_exact(tmp_path: Path) -> None:
    assert [rule.code for rule in read_rules(date(2026, 11, 21))] == [
        "full", "quarter-kept", "half-kept", "none"
    ]  # fmt: skip
    assert not load_cancellation_rules()
    CancellationTable.objects.all().delete()
    data = json.loads(RULES.read_text())
    data["rules"][1]["kept_percent"] = 25.0
    (tmp_path / "rules.json").write_text(json.dumps(data))
    with pytest.raises(ValueError, match="quarter-kept: write kept_percent"):
        load_cancellation_rules(tmp_path / "rules.json")
    assert not CancellationTable.objects.exists()
    assert load_cancellation_rules()
    assert [rule.kept_percent for rule in read_rules(date(2026, 11, 21))] == [0, 25, 50, 0]


@pytest.mark.django_db
def test_rules_are_those_of_the_service_date() -> None:
    CancellationTable.objects.update(valid_to=date(2027, 3, 31))
    summer = CancellationTable.objects.create(name="Summer", valid_from=date(2027, 5, 1))
    CancellationRule.objects.create(table=summer, code="all", from_hours=0, gives="full")
    assert [rule.code for rule in read_rules(date(2027, 5, 1))] == ["all"]
    assert len(read_rules(date(2027, 3, 31))) == 4
    assert read_rules(date(2027, 4, 15)) == []


@pytest.mark.django_db
def test_no_two_tables_are_valid_on_one_date_and_only_percentages_keep_a_part() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        CancellationTable.objects.create(name="More", valid_from=date(2030, 1, 1))
    with pytest.raises(IntegrityError), transaction.atomic():
        CancellationRule.objects.filter(code="full").update(kept_percent=Decimal(5))
    with pytest.raises(IntegrityError), transaction.atomic():
        CancellationRule.objects.filter(code="half-kept").update(kept_percent=Decimal(101))


@pytest.mark.django_db
def test_staff_edit_rules_and_the_trail_has_them(office: Client) -> None:  # a fixture
    table = CancellationTable.objects.get()
    path = f"/admin/reservations/cancellationtable/{table.pk}/change/"
    for hours in (72, 96):
        answer = office.post(path, fields_of(office, path) | {"rules-0-from_hours": str(hours)})
        assert answer.status_code == 302, answer.content
        assert max(rule.from_hours for rule in read_rules(date(2026, 11, 21))) == hours
    facts = OutboxEvent.objects.filter(kind="cancellation-rules.changed").order_by("number")
    told = [(each.stage, each.number, each.body["rules"][0]["from_hours"]) for each in facts]
    assert told == [(1, 2, 72), (1, 3, 96)]
    assert all(each.body["actor"] for each in facts)
    with pytest.raises(RuntimeError, match="one transaction"):
        _outside(table.pk)


def _outside(table: int) -> None:
    from unittest.mock import Mock, patch

    outside = Mock(in_atomic_block=False)
    with patch("django.db.transaction.get_connection", return_value=outside):
        note_changed_rules(table_id=table, actor_id=None)
