"""A store that is away: 503 with Retry-After where it is needed, and recovery without restart."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from config.outbox.consumers import consume_pending
from config.stores import keys
from config.stores import redis as redis_client
from config.stores.redis import as_bytes, holds_store
from reservations.models import Booking
from tests.engine import Traveller
from tests.reservations.test_bookings import book
from tests.reservations.test_hold_seats import wish
from tests.stores import OwnStore, until_answered
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def own_holds(own_redis: OwnStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnStore]:
    """The engine works on a Valkey of this test's own."""
    monkeypatch.setattr(settings.ENV, "redis_url", own_redis.url)
    redis_client.holds_store.cache_clear()
    yield own_redis
    monkeypatch.undo()
    redis_client.holds_store.cache_clear()


def test_without_redis_a_lock_is_503_and_works_again_when_it_is_back(
    anna: Traveller, departure: Departure, own_holds: OwnStore
) -> None:
    held = anna.post("reservations/lock/", wish(departure, "S1-1"))
    assert held.status_code == 201
    booked = book(anna, departure, "S1-2")
    own_holds.stop()
    refused = anna.post("reservations/lock/", wish(departure, "S1-3"))
    assert refused.status_code == 503
    assert refused.json()["code"] == "unavailable"
    assert int(refused["Retry-After"]) > 0
    confirm = anna.post("reservations/confirm/", {"hold": held.json()["hold"]})
    assert confirm.status_code == 503
    assert anna.get(f"reservations/bookings/{booked['pnr']}/").status_code == 200

    own_holds.start()
    until_answered(holds_store().ping)
    assert anna.post("reservations/confirm/", {"hold": held.json()["hold"]}).status_code == 201
    assert anna.post("reservations/lock/", wish(departure, "S1-3")).status_code == 201


def test_a_frozen_redis_is_503_within_its_timeout(
    anna: Traveller, departure: Departure, own_holds: OwnStore
) -> None:
    anna.post("reservations/lock/", wish(departure, "S1-1"))
    own_holds.freeze()
    refused = anna.post("reservations/lock/", wish(departure, "S1-2"))
    own_holds.thaw()
    assert refused.status_code == 503
    assert anna.post("reservations/lock/", wish(departure, "S1-2")).status_code in {201, 409}


def test_a_cancel_without_redis_stands_and_the_outbox_frees_the_seat(
    anna: Traveller, bela: Traveller, departure: Departure, own_holds: OwnStore
) -> None:
    pnr = book(anna, departure, "S1-1")["pnr"]
    consume_pending()
    own_holds.stop()
    # Cancelling needs no hold: PostgreSQL decides, the image follows when Redis is back.
    assert anna.post(f"reservations/bookings/{pnr}/cancel/").status_code == 200
    assert Booking.objects.get(pnr=pnr).status == "cancelled"
    own_holds.start()
    until_answered(holds_store().ping)
    assert bela.post("reservations/lock/", wish(departure, "S1-1")).status_code == 409
    consume_pending()
    assert bela.post("reservations/lock/", wish(departure, "S1-1")).status_code == 201


def test_the_outbox_refreshes_the_seats_of_every_booking_of_a_departure(
    anna: Traveller, departure: Departure
) -> None:
    for seat in ("S1-1", "S1-2"):
        book(anna, departure, seat)
    key = keys.of(departure.pk, "sold")
    sold = as_bytes(holds_store().get(key)) or b""
    assert any(sold)
    holds_store().set(key, bytes(len(sold)))
    consume_pending()
    assert holds_store().get(key) == sold


def test_a_redis_that_comes_back_empty_costs_holds_but_no_booking(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    book(anna, departure, "S1-1")
    hold = anna.post("reservations/lock/", wish(departure, "S1-2")).json()
    holds_store().flushall()
    assert bela.post("reservations/lock/", wish(departure, "S1-1")).status_code == 409
    body = {"hold": hold["hold"], "capability": hold["capability"]}
    assert anna.post("reservations/confirm/", body).status_code == 201
