"""Without payments, and without all that may be left out, seats are sold and given back."""

import os
import subprocess
import sys

import pytest

from config.embedded.places import CHECKOUT
from tests.engine import Traveller
from tests.web import test_database_url as database_url
from trains.models import Departure

CORE_ALONE = """
import sys
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from config.outbox.consumers import consume_pending

access, staff, departure, left_out = sys.argv[1:]
call_command("check")
for name in left_out.split(","):
    assert f"reservations.{name}" not in settings.INSTALLED_APPS

def client_of(access):
    return Client(headers={"Authorization": f"Bearer {access}", "Host": "127.0.0.1"})

mine, desk = client_of(access), client_of(staff)

def post(path, body, client=mine):
    return client.post(f"/api/v1/{path}", body, content_type="application/json")

def settle():
    while consume_pending():
        pass

seats = ["S1-1", "S1-2", "S1-3"]
wish = {"departure": int(departure), "source": "AAA", "destination": "CCC"}
held = post("reservations/lock/", {**wish, "seats": seats})
assert held.status_code == 201, held.content
booked = post("reservations/confirm/", {"hold": held.json()["hold"]})
assert booked.status_code == 201, booked.content
settle()
path = f"reservations/bookings/{booked.json()['pnr']}/"
quoted = mine.get(f"/api/v1/{path}cancel/", {"seats": "S1-1"})
assert quoted.json()["refund"]["rule"] == "full", quoted.content
part = post(f"{path}cancel/", {"seats": ["S1-1"]})
assert (part.status_code, part.json()["status"]) == (200, "confirmed"), part.content
settle()
assert post("reservations/lock/", {**wish, "seats": ["S1-1"]}).status_code == 201
rest = post(f"operations/bookings/{booked.json()['pnr']}/cancel/", {"reason": "asked"}, desk)
assert (rest.status_code, rest.json()["status"]) == (200, "cancelled"), rest.content
settle()
shown = mine.get(f"/api/v1/{path}").json()
assert shown["cancellation"]["refund"]["status"] == "by-hand", shown
full = post("reservations/lock/", {**wish, "travel_class": "CC", "count": 6})
assert full.status_code == 201, full.content
loaded = {f"reservations.{name}" for name in left_out.split(",")}
assert not [name for name in sys.modules if any(name.startswith(app) for app in loaded)]
tasks = {task["task"].rpartition(".tasks")[0] for task in settings.CELERY_BEAT_SCHEDULE.values()}
assert not tasks & loaded
print("the core works alone")
"""


@pytest.mark.parametrize("left_out", ["payments", "payments,tickets,waitlist,webhooks"])
@pytest.mark.django_db(transaction=True)
def test_the_core_works_without(
    anna: Traveller, controller: Traveller, run: Departure, left_out: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CORE_ALONE, anna.access, controller.access, str(run.pk), left_out],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "APPS_LEFT_OUT": left_out,
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "config.settings",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "the core works alone" in done.stdout
