"""What staff do with webhooks; and the core without them."""

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from config import clock
from config.embedded.places import CHECKOUT
from config.outbox.models import OutboxEvent
from reservations.webhooks.deliver import deliver_due
from reservations.webhooks.endpoints import purge_messages
from reservations.webhooks.models import Attempt, Endpoint, Message
from tests.engine import Traveller
from tests.web import test_database_url as database_url
from tests.webhooks.conftest import Book, Register
from tests.webhooks.receiver import Receiver
from trains.models import Departure

pytestmark = pytest.mark.django_db
NEW = {"url": "http://127.0.0.1:9/", "events": ["booking.confirmed", "booking.cancelled"]}


def patch(who: Traveller, path: str, body: dict[str, Any]) -> Any:
    return who.client.patch(f"/api/v1/{path}", body, content_type="application/json")


def test_staff_register_see_change_and_delete(acme: Traveller, controller: Traveller) -> None:
    made = controller.post("operations/webhooks/", {**NEW, "account": "ACME"})
    assert made.status_code == 201, made.content
    shown = made.json()
    secret = shown.pop("secret")
    assert secret.startswith("whsec_")
    assert (shown["account"], shown["status"]) == ("acme", "enabled")
    path = f"operations/webhooks/{shown['webhook']}/"
    assert controller.get(path).json() == shown
    assert controller.get("operations/webhooks/").json()["results"] == [shown]

    changed = patch(controller, path, {"events": ["booking.refunded"], "enabled": False})
    assert changed.json()["events"] == ["booking.refunded"]
    assert changed.json()["disabled_why"] == "by-staff"
    assert secret not in changed.content.decode()
    assert patch(controller, path, {"enabled": True}).json()["status"] == "enabled"
    for _ in range(2):
        assert controller.delete(path).status_code == 204
    assert controller.get(path).status_code == 404
    kinds = OutboxEvent.objects.filter(kind__startswith="webhook.").order_by("id")
    assert [each.kind.removeprefix("webhook.") for each in kinds] == [
        "registered",
        "changed",
        "disabled",
        "enabled",
        "deleted",
    ]
    assert all(each.body["actor"] == controller.user.pk for each in kinds)
    assert not [each for each in kinds if secret in str(each.body)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "nonsense"},
        {"url": ""},
        {"events": []},
        {"events": ["booking.imagined"]},
        {"account": "nobody"},
        {"enabled": True},
    ],
)
def test_a_webhook_that_cannot_be(wrong: dict[str, Any], controller: Traveller) -> None:
    assert controller.post("operations/webhooks/", {**NEW, **wrong}).status_code == 400
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize("name", ["x", "2e8ba400-896a-4ebb-acf2-6098d703f011", "a" * 300])
def test_what_is_not_there(name: str, controller: Traveller) -> None:
    for method, path in (
        ("GET", f"operations/webhooks/{name}/"),
        ("PATCH", f"operations/webhooks/{name}/"),
        ("POST", f"operations/webhooks/{name}/secret/"),
        ("POST", f"operations/webhooks/{name}/replay/"),
        ("GET", f"operations/webhooks/{name}/deliveries/"),
        ("POST", f"operations/webhook-deliveries/{name}/replay/"),
    ):
        answer = controller.client.generic(method, f"/api/v1/{path}", b"{}", "application/json")
        assert answer.status_code == 404, (path, answer.content)


def test_deliveries_by_state_and_replay_of_all_that_was_given_up(
    acme: Traveller, controller: Traveller, partner: Receiver, register: Register, book: Book
) -> None:
    endpoint = register(partner.url)
    for _ in range(3):
        book(acme)
    long_ago = clock.now() - timedelta(days=9)
    one, two, three = Message.objects.order_by("id")
    Message.objects.filter(pk=one.pk).update(given_up_at=clock.now(), created_at=long_ago)
    Message.objects.filter(pk=two.pk).update(given_up_at=clock.now())
    path = f"operations/webhooks/{endpoint.pk}/"
    for state, count in (("waiting", 1), ("given-up", 2), ("delivered", 0), ("", 3)):
        found = controller.get(f"{path}deliveries/", **({"status": state} if state else {}))
        assert found.json()["count"] == count, state
    assert controller.get(f"{path}deliveries/", status="odd").status_code == 400
    assert controller.get(f"{path}deliveries/", limit=1).json()["results"][0]["message"] == (
        three.name
    )
    since = (clock.now() - timedelta(days=1)).isoformat()
    assert controller.post(f"{path}replay/", {"since": since}).json() == {"replayed": 1}
    assert controller.post(f"{path}replay/", {"since": "2026-01-01T00:00:00"}).status_code == 400
    assert controller.post(f"{path}replay/", {}).json() == {"replayed": 1}
    empty = controller.client.generic("POST", f"/api/v1/{path}replay/", b"", "application/json")
    assert empty.status_code == 400
    assert deliver_due() == 3


def test_old_messages_are_forgotten(
    acme: Traveller, partner: Receiver, register: Register, book: Book
) -> None:
    register(partner.url)
    book(acme)
    deliver_due()
    with clock.moved(timedelta(days=29)):
        assert purge_messages() == 0
    with clock.moved(timedelta(days=31)):
        assert purge_messages() > 0
    assert not Attempt.objects.exists()


CORE_ALONE = """
import sys
import django
django.setup()
from django.conf import settings
from django.test import Client
from config.outbox.consumers import consume_pending

assert "reservations.webhooks" not in settings.INSTALLED_APPS
access, departure = sys.argv[1:]
client = Client(headers={"Authorization": f"Bearer {access}", "Host": "127.0.0.1"})

def post(path, body):
    return client.post(f"/api/v1/{path}", body, content_type="application/json")

wish = {"departure": int(departure), "source": "AAA", "destination": "CCC", "seats": ["S1-1"]}
held = post("reservations/lock/", wish)
assert held.status_code == 201, held.content
booked = post("reservations/confirm/", {"hold": held.json()["hold"]})
assert booked.status_code == 201, booked.content
while consume_pending():
    pass
assert client.get("/api/v1/operations/webhooks/").status_code == 404
assert not [name for name in sys.modules if name.startswith("reservations.webhooks")]
assert not [name for name in settings.CELERY_BEAT_SCHEDULE if "webhook" in name]
print("the core works alone")
"""


@pytest.mark.django_db(transaction=True)
def test_the_core_works_without_webhooks(anna: Traveller, departure: Departure) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CORE_ALONE, anna.access, str(departure.pk)],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "APPS_LEFT_OUT": "webhooks",
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "config.settings",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "the core works alone" in done.stdout
