"""SQL, operators of MongoDB, Lua and the protocol of Redis, in every text a call takes.

Where the texts are is read from the OpenAPI document, so that a new field is tried at once.
"""

import json
import logging
from typing import Any, Final

import pytest
from django.conf import settings as django_settings

from config.stores.redis import holds_store
from reservations.models import BookedSeat, Booking
from tests.engine import Traveller
from tests.front.calls import calls, replaced, sample, texts
from tests.front.state import members
from trains.models import Departure
from users.models import User

pytestmark = pytest.mark.django_db

ATTACKS: Final[list[Any]] = [
    "'; DROP TABLE reservations_booking; --",
    "' OR '1'='1",
    "x') UNION SELECT password FROM users_user --",
    "$$; SELECT pg_sleep(10); $$",
    "{1..2}%s%(a)s",
    '{"$gt": ""}',
    "$where",
    "a.b.$set",
    "'; return redis.call('FLUSHALL') --",
    "\r\n*1\r\n$8\r\nFLUSHALL\r\n",
    "]] redis.call('flushall') --[[",
    "={{7*7}}\n2026-01-01 ERROR forged",
    {"$gt": ""},
    {"$where": "sleep(10000)"},
]
VERBATIM: Final = 'O\'Brien "; DROP TABLE x; -- {"$gt": 1} ]] <b>'


@pytest.fixture(autouse=True)
def unthrottled(monkeypatch: pytest.MonkeyPatch) -> None:
    off = django_settings.ENV.model_copy(update={"throttles": "off"})
    monkeypatch.setattr(django_settings, "ENV", off)


def test_no_text_is_taken_for_more_than_text(
    anna: Traveller, controller: Traveller, departure: Departure, caplog: pytest.LogCaptureFixture
) -> None:
    """One attack at a time, in each text of each body, by somebody who may make the call."""
    wish = {"departure": departure.pk, "source": "AAA", "destination": "CCC", "count": 1}
    hold = anna.post("reservations/lock/", wish).json()["hold"]
    assert anna.post("reservations/confirm/", {"hold": hold}).status_code == 201
    assert anna.post("reservations/lock/", wish).status_code == 201
    owned = dict(Booking.objects.values_list("pk", "status")), BookedSeat.objects.count()
    hers = User.objects.values().get(pk=anna.user.pk)
    held = {name: found for name, found in members().items() if f":{anna.user.pk}" in name}
    assert held

    known = {**wish, "departure": departure.pk, "train": departure.train.number, "seats": ["S1-8"]}
    tried = 0
    with caplog.at_level(logging.INFO):
        for call in calls():
            if call.body is None:
                continue
            body = sample(call.body, known)
            for place in texts(body):
                for attack in ATTACKS:
                    sent = json.dumps(replaced(body, place, attack)).encode()
                    answer = call.send(controller.client, sent, number=departure.train.number)
                    assert answer.status_code < 500, (call.name, place, attack, answer.content)
                    tried += 1
    assert tried > 500
    assert (
        dict(Booking.objects.filter(pk__in=owned[0]).values_list("pk", "status")),
        BookedSeat.objects.filter(booking__in=owned[0]).count(),
    ) == owned
    assert User.objects.values().get(pk=anna.user.pk) == hers
    now = members()
    assert {name: now.get(name) for name in held} == held
    assert holds_store().ping()
    forged = [line for line in caplog.messages if "\n2026-01-01 ERROR forged" in line]
    assert not forged


def test_what_looks_like_code_is_kept_as_it_was_sent(
    anna: Traveller, controller: Traveller, departure: Departure
) -> None:
    profile = {"first_name": VERBATIM, "last_name": VERBATIM, "phone_number": "'; --{$gt:1}"}
    changed = anna.client.patch("/api/v1/auth/me/", profile, content_type="application/json")
    assert changed.status_code == 200, changed.content
    shown = anna.get("auth/me/").json()
    assert {name: shown[name] for name in profile} == profile

    made = controller.post("stations/", {"code": "ZZZ", "name": VERBATIM})
    assert made.json()["name"] == VERBATIM
    found = controller.get("stations/", q=VERBATIM).json()["results"]
    assert [each["name"] for each in found] == [VERBATIM]

    wish = {"departure": departure.pk, "source": "AAA", "destination": "CCC", "count": 1}
    hold = anna.post("reservations/lock/", wish).json()["hold"]
    body = {"hold": hold, "passengers": [{"name": VERBATIM, "age": 30}]}
    pnr = anna.post("reservations/confirm/", body).json()["pnr"]
    (passenger,) = anna.get(f"reservations/bookings/{pnr}/").json()["passengers"]
    assert passenger["name"] == VERBATIM
