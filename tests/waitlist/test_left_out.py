"""Without the waitlist the core works: a full train is refused, and nothing is kept for anybody."""

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
from django.template.loader import render_to_string
from django.test import Client
from django.urls import NoReverseMatch, reverse
from config.outbox.consumers import consume_pending

assert "reservations.waitlist" not in settings.INSTALLED_APPS
access, departure = sys.argv[1:]
client = Client(headers={"Authorization": f"Bearer {access}", "Host": "127.0.0.1"})

def post(path, body):
    return client.post(f"/api/v1/{path}", body, content_type="application/json")

wish = {"departure": int(departure), "source": "AAA", "destination": "CCC"}
held = post("reservations/lock/", {**wish, "travel_class": "CC", "count": 2})
assert held.status_code == 201, held.content
more = {**wish, "travel_class": "CC", "count": 1}
full = post("reservations/lock/", {**more, "on_full": "waitlist"})
assert (full.status_code, full.json()["waitlist"]) == (409, 0), full.content
assert post("reservations/waitlist/", more).status_code == 404
for name, path in (("join", ("1",)), ("waitlist", ()), ("entry", ("x",)), ("staff:waitlists", ())):
    try:
        raise SystemExit(reverse(f"web:{name}", args=path))
    except NoReverseMatch:
        pass
search = client.get(f"/departures/{departure}/", headers={"Accept": "text/html"})
assert search.status_code == 200 and b"waitlist" not in search.content
assert "waitlist" not in render_to_string("web/parts/booking_tabs.html", {"tab": "past"})
booked = post("reservations/confirm/", {"hold": held.json()["hold"]})
assert booked.status_code == 201, booked.content
pnr = booked.json()["pnr"]
assert post(f"reservations/bookings/{pnr}/cancel/", {}).status_code == 200
while consume_pending():
    pass
assert post("reservations/lock/", more).status_code == 201
assert not [name for name in sys.modules if name.startswith("reservations.waitlist")]
assert not [name for name in settings.CELERY_BEAT_SCHEDULE if "waitlist" in name]
print("the core works alone")
"""


@pytest.mark.django_db(transaction=True)
def test_the_core_works_without_the_waitlist(anna: Traveller, run: Departure) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CORE_ALONE, anna.access, str(run.pk)],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "APPS_LEFT_OUT": "waitlist",
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
