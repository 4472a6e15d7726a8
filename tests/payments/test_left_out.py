"""Payments can be left out, and asked for."""

import os
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings

from config.environment import Environment
from reservations.models import Booking
from tests.engine import Traveller
from tests.payments.paying import lock, pay, start
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

WITHOUT = """
import django
django.setup()
from django.apps import apps
from django.core.management import call_command
from django.urls import Resolver404, resolve
assert not apps.is_installed("reservations.payments")
call_command("check")
resolve("/api/v1/reservations/confirm/")
for path in ("/api/v1/payments/", "/sandbox/pay/x/"):
    try:
        resolve(path)
    except Resolver404:
        continue
    raise AssertionError(path)
from django.conf import settings
assert not [task for task in settings.CELERY_BEAT_SCHEDULE.values() if "payments" in task["task"]]
"""


def test_the_core_works_without_payments() -> None:
    """In a process of its own: which apps there are is decided at start."""
    subprocess.run(
        [sys.executable, "-c", WITHOUT],
        env={
            **os.environ,
            "APPS_LEFT_OUT": "payments",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        },
        check=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"payment_providers": "paypal"}, "paypal"),
        ({"payment_providers": "stripe"}, "STRIPE_SECRET_KEY"),
        ({"payment_providers": "razorpay"}, "RAZORPAY_KEY_ID"),
        ({"apps_left_out": "bookings"}, "apps_left_out"),
        ({"apps_left_out": "payments", "require_payment": "on"}, "APPS_LEFT_OUT"),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Environment(**{**settings.ENV.model_dump(), **wrong})


def test_where_payment_is_required_a_confirm_without_one_is_402(
    anna: Traveller, controller: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    required = settings.ENV.model_copy(update={"require_payment": "on"})
    monkeypatch.setattr(settings, "ENV", required)
    held = lock(anna, departure, "S1-1")
    answer = anna.post("reservations/confirm/", {"hold": held["hold"]})
    assert answer.status_code == 402
    told = answer.json()
    assert (told["code"], told["amount"]) == ("payment-required", held["fare"]["amount"])
    assert Decimal(told["amount"]) > 0
    assert not Booking.objects.exists()

    assert pay(start(anna, held["hold"])).outcome == "booked"
    again = anna.post("reservations/confirm/", {"hold": held["hold"]})
    assert again.status_code == 200, "it is booked: confirming it again tells so"
    by_staff = lock(controller, departure, "S1-2")["hold"]
    assert controller.post("reservations/confirm/", {"hold": by_staff}).status_code == 201
