"""Travellers' names are in no fact, request log, document of MongoDB, or line of a log."""

import json
import logging
from typing import Any

import pytest
from django.core import mail
from pymongo.database import Database

from analytics import schema
from analytics.shipping.shipper import ship_pending
from config.http.request_log import STREAM
from config.outbox.consumers import consume_pending
from config.outbox.models import OutboxEvent
from config.stores.redis import holds_store
from reservations.tickets.mail import send_waiting
from tests.engine import Traveller
from trains.models import Departure

PLANTED = ("Zebulon Quixote", "ज़ेबुलन", "Wilhelmina Xanthopoulos")

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("streams")]


def test_names_given_at_lock_at_confirm_and_saved_stay_out_of_every_trail(
    anna: Traveller,
    controller: Traveller,
    departure: Departure,
    mongo: "Database[dict[str, Any]]",
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    live(anna, controller, departure)
    traces = redis_text(but="people")
    while consume_pending():
        pass
    assert send_waiting() == 2
    assert len(mail.outbox) == 2
    assert STREAM.flush()
    while ship_pending():
        pass

    kept = {each.name: list(mongo[each.name].find()) for each in schema.collections()}
    assert {"hold.held", "booking.confirmed", "ticket.boarded", "account.passengers-erased"} <= {
        fact["kind"] for fact in kept[schema.FACTS]
    }
    endpoints = {request["endpoint"] for request in kept[schema.REQUESTS]}
    assert {"reservations/lock/", "reservations/confirm/", "auth/travellers/"} <= endpoints
    traces += [json.dumps(kept, default=str, ensure_ascii=False), caplog.text]
    facts = OutboxEvent.objects.values_list("body", flat=True)
    traces += [json.dumps(body, ensure_ascii=False) for body in facts]
    for name in PLANTED:
        assert [trace for trace in traces if name in trace] == []


def live(anna: Traveller, controller: Traveller, departure: Departure) -> None:
    """A life with names in it: saved, at lock, at confirm, refused, printed, boarded, erased."""
    wish = {"departure": departure.id, "source": "AAA", "destination": "CCC"}
    at_lock, at_confirm, saved = ([{"name": name}] for name in PLANTED)
    assert anna.post("auth/travellers/", saved[0]).status_code == 201
    anna.get("auth/travellers/", name=saved[0]["name"])
    first = {**wish, "seats": ["S1-1"], "passengers": at_lock}
    held = anna.post("reservations/lock/", first)
    assert held.status_code == 201
    assert anna.post("reservations/lock/", first).status_code == 409
    assert any(PLANTED[0] in text for text in redis_text())  # so that looking finds names at all
    pnr = anna.post("reservations/confirm/", {"hold": held.json()["hold"]}).json()["pnr"]
    other = anna.post("reservations/lock/", {**wish, "seats": ["S1-2"]}).json()["hold"]
    confirm = {"hold": other, "passengers": at_confirm}
    assert anna.post("reservations/confirm/", {**confirm, "nonsense": 1}).status_code == 400
    assert anna.post("reservations/confirm/", confirm).status_code == 201
    for ending in (".pdf", ".ics", "/"):
        assert anna.get(f"tickets/{pnr}{ending}").status_code == 200
    token = anna.get(f"tickets/{pnr}/").json()["token"]
    assert controller.post("tickets/verify/", {"token": token}).json()["valid"]
    assert anna.delete("reservations/passengers/").status_code == 200
    assert anna.delete("auth/travellers/").status_code == 204


def redis_text(but: str = "") -> list[str]:
    """Everything that lies in the holds' Redis, key by key."""
    store = holds_store()
    names: Any = store.keys("*")
    return [_value(store, key) for key in names if not but or f":{but}:".encode() not in key]


def _value(store: Any, key: bytes) -> str:
    read = {
        b"string": store.get,
        b"hash": store.hgetall,
        b"zset": lambda key: store.zrange(key, 0, -1),
        b"list": lambda key: store.lrange(key, 0, -1),
        b"stream": store.xrange,
    }[store.type(key)]
    found: Any = read(key)
    return text_of(found)


def text_of(found: Any) -> str:
    """Bytes inside of lists and maps, as text."""
    if isinstance(found, bytes):
        return found.decode("utf-8", "replace")
    if isinstance(found, dict):
        return " ".join(text_of(each) for pair in found.items() for each in pair)
    if isinstance(found, list | tuple):
        return " ".join(map(text_of, found))
    return str(found)
