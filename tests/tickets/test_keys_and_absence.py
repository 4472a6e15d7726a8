"""Keys rotate and a wrong one stops the start; without the app the core works on."""

import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from config.embedded.places import CHECKOUT
from reservations.tickets.keys import ticket_keys
from reservations.tickets.tokens import check
from tests.engine import Traveller
from tests.tickets.conftest import Book
from tests.web import test_database_url as database_url
from trains.models import Departure


def setting(*names: str) -> str:
    seeds = (urlsafe_b64encode(name.encode().ljust(32, b"-")).decode()[:43] for name in names)
    return ",".join(f"{name}:{seed}" for name, seed in zip(names, seeds, strict=True))


@pytest.mark.django_db
def test_a_new_key_signs_and_the_old_one_is_still_believed(
    anna: Traveller, book: Book, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pnr = book(anna)["pnr"]
    tokens = []
    for keys in ("old", "new,old", "new"):
        monkeypatch.setattr(settings.ENV, "ticket_signing_key", setting(*keys.split(",")))
        assert [key.kid for key in ticket_keys()] == keys.split(",")
        tokens.append(anna.get(f"tickets/{pnr}/").json()["token"])
    assert tokens[0] != tokens[1] == tokens[2]
    monkeypatch.setattr(settings.ENV, "ticket_signing_key", setting("new", "old"))
    assert check(tokens[0]).pnr == check(tokens[2]).pnr == pnr


@pytest.mark.parametrize(
    "wrong", ["secret", "k1:short", "k1:" + "!" * 43, setting("k1") + ",", setting("k1", "k1")]
)
def test_a_wrong_key_stops_the_start_with_the_settings_name(wrong: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from config.environment import load_environment as l; l()"],
        cwd=CHECKOUT,
        env={**os.environ, "TICKET_SIGNING_KEY": wrong},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "TICKET_SIGNING_KEY: " in done.stderr
    assert "32 bytes in URL-safe base64" in done.stderr


CORE_ALONE = """
import json, sys
import django
django.setup()
from django.conf import settings
from django.test import Client
from config.outbox.consumers import consume_pending

assert "reservations.tickets" not in settings.INSTALLED_APPS
access, departure = sys.argv[1:]
client = Client(headers={"Authorization": f"Bearer {access}", "Host": "127.0.0.1"})

def post(path, body):
    return client.post(f"/api/v1/{path}", body, content_type="application/json")

wish = {"departure": int(departure), "source": "AAA", "destination": "CCC", "seats": ["S1-1"]}
held = post("reservations/lock/", wish)
assert held.status_code == 201, held.content
booked = post("reservations/confirm/", {"hold": held.json()["hold"]})
assert booked.status_code == 201, booked.content
pnr = booked.json()["pnr"]
while consume_pending():
    pass
assert client.get(f"/api/v1/tickets/{pnr}/").status_code == 404
assert post(f"reservations/bookings/{pnr}/cancel/", {}).status_code == 200
while consume_pending():
    pass
assert not [name for name in sys.modules if name.startswith("reservations.tickets")]
assert not [name for name in settings.CELERY_BEAT_SCHEDULE if "ticket" in name]
print("the core works alone")
"""


@pytest.mark.django_db(transaction=True)
def test_the_core_works_without_tickets(anna: Traveller, departure: Departure) -> None:
    environment = {
        **os.environ,
        "APPS_LEFT_OUT": "tickets",
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", CORE_ALONE, anna.access, str(departure.pk)],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "the core works alone" in done.stdout
