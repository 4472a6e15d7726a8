"""P5: a request sent twice has one effect and one answer.

Guarantors: a key's row is written with the effect (for a lock: the script keeps its answer); a hold
is booked once. The header and the rules of what is kept: `tests/http/test_idempotency.py`. The
server killed between effect and answer: `test_p5_when_the_server_dies.py`. A hundred at once:
`tests/race/test_one_key_a_hundred_times.py`.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import clock
from config.idempotency import claims
from config.idempotency.models import IdempotencyKey
from config.stores import keys
from config.stores.redis import holds_store
from reservations.api import bookings, kept_answers
from reservations.models import Booking
from tests.engine import Traveller, forged
from tests.race.guards import GUARDS
from tests.reservations.test_hold_seats import wish
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)

KEY = {"Idempotency-Key": '"8e03978e-40d5"'}

# POST calls that take no key, and why a repeat does no harm.
KEYLESS = {
    "login": "makes nothing but a session; the old one lives on",
    "refresh": "the old token is dead: a repeat is refused, by design",
    "logout": "ended is ended",
    "change_password": "a repeat is refused: the old password is wrong",
    "departures_generate_seats_create": "makes what is missing, and nothing else",
    "block_seats": "blocked is blocked",
    "confirm_reseating": "a plan is confirmed once: a repeat is refused",
    "cancel_departure": "a departure is cancelled once: a repeat says how far that is",
    "staff_release_hold": "a hold ends once",
    "extend_hold": "counts from now, up to a cap: a repeat gives what the first gave",
    "verify_ticket": "asks, and lets each ticket in once",
    "ask_to_claim_guest": "mails a code; the last one counts",
    "claim_guest": "what was claimed is claimed",
    "settle_difference": "settled is settled",
    "retry_refund": "a refund that is under way is not tried again: a repeat is refused",
    "receive_webhook": "the gateway's own event id is remembered",
    "replay_delivery": "the receiver knows the message by its id",
    "replay_failed_deliveries": "the receiver knows each message by its id",
}
# What is kept for a repeat would keep the secret as well; each may be made again and ended.
ANSWER_WITH_A_SECRET = {
    "make_guest": "a token, for nobody who is known yet",
    "make_api_key": "the key, this once",
    "register_webhook": "the secret, this once",
    "rotate_webhook_secret": "the secret, this once; the old one stays good for a day",
}


def test_p5_a_lock_sent_twice_has_one_effect_and_one_answer(
    anna: Traveller, departure: Departure
) -> None:
    body = wish(departure, travel_class="CC", count=2)
    first = anna.post("reservations/lock/", body, **{"Idempotency-Key": "k-1"})
    again = anna.post("reservations/lock/", body, **{"Idempotency-Key": "k-1"})
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert anna.get("reservations/holds/").json()["count"] == 1
    other = anna.post("reservations/lock/", {**body, "count": 3}, **{"Idempotency-Key": "k-1"})
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency-key-reused"


def test_p5_a_refused_lock_is_refused_again_under_its_key(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    hold = bela.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    key = {"Idempotency-Key": "k-2"}
    assert anna.post("reservations/lock/", wish(departure, "S1-1"), **key).status_code == 409
    bela.delete(f"reservations/holds/{hold}/")
    again = anna.post("reservations/lock/", wish(departure, "S1-1"), **key)
    assert again.status_code == 409
    assert again["Idempotency-Replayed"] == "true"
    other = anna.post("reservations/lock/", wish(departure, "S1-2"), **key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


def test_p5_a_refused_confirm_is_refused_again_under_its_key(
    anna: Traveller, departure: Departure
) -> None:
    key = {"Idempotency-Key": "c-0"}
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    assert anna.delete(f"reservations/holds/{hold}/").status_code == 204
    first = anna.post("reservations/confirm/", {"hold": hold}, **key)
    again = anna.post("reservations/confirm/", {"hold": hold}, **key)
    assert (first.status_code, again.status_code) == (410, 410)
    assert again["Idempotency-Replayed"] == "true"


def test_p5_a_confirm_sent_twice_answers_with_the_same_booking(
    anna: Traveller, departure: Departure
) -> None:
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    first = anna.post("reservations/confirm/", {"hold": hold})
    again = anna.post("reservations/confirm/", {"hold": hold})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Booking.objects.count() == 1


def test_p5_a_confirm_with_a_key_replays_its_first_answer(
    anna: Traveller, departure: Departure
) -> None:
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    key = {"Idempotency-Key": '"c-1"'}
    first = anna.post("reservations/confirm/", {"hold": hold}, **key)
    again = anna.post("reservations/confirm/", {"hold": hold}, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    other = anna.post("reservations/confirm/", {"hold": hold, "passengers": []}, **key)
    assert other.status_code == 422


def test_p5_twins_with_one_key_get_one_answer_even_side_by_side(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second looked for the key before the first had committed."""
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    key = {"Idempotency-Key": "c-2"}
    first = anna.post("reservations/confirm/", {"hold": hold}, **key)
    looks = iter([None])
    real = bookings._kept
    monkeypatch.setattr(
        bookings, "_kept", lambda caller, kept_key: next(looks, real(caller, kept_key))
    )
    second = anna.post("reservations/confirm/", {"hold": hold}, **key)
    assert (second.status_code, second.json()) == (201, first.json())
    assert second["Idempotency-Replayed"] == "true"


def test_p5_a_repeat_of_a_lock_that_is_over_takes_no_seat_again(
    anna: Traveller, bela: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server died before it kept the answer; the script had kept its own."""
    monkeypatch.setattr(kept_answers, "keep", lambda *_: None)
    first = anna.post("reservations/lock/", wish(departure, "S1-1"), **KEY).json()
    anna.delete(f"reservations/holds/{first['hold']}/")
    again = anna.post("reservations/lock/", wish(departure, "S1-1"), **KEY).json()
    assert (again["hold"], again["expires_at"]) == (first["hold"], first["expires_at"])
    assert anna.get("reservations/holds/").json()["results"] == []
    assert bela.post("reservations/lock/", wish(departure, "S1-1")).status_code == 201


def test_p5_a_lock_without_a_key_is_another_lock(anna: Traveller, departure: Departure) -> None:
    """The guard off: nothing tells a repeat from a second wish."""
    body = wish(departure, travel_class="CC", count=2)
    assert [anna.post("reservations/lock/", body).status_code for _ in range(2)] == [201, 201]
    assert anna.get("reservations/holds/").json()["count"] == 2


def test_p5_without_the_claim_one_key_has_two_effects(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = GUARDS["one-request-a-key"]
    real = claims.claim
    monkeypatch.setattr(claims, "claim", lambda **what: guard.instead(real, **what))
    for seat in ("S1-1", "S1-2"):
        answer = anna.post("reservations/lock/", wish(departure, seat), **KEY)
        assert answer.status_code == 201
    assert anna.get("reservations/holds/").json()["count"] == 2


def test_p5_without_the_keys_row_a_repeat_gets_another_answer(
    anna: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard off: the booking is found by its hold, but the answer is not the first one."""
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    monkeypatch.setattr(bookings, "_kept", lambda *_: None)
    monkeypatch.setattr(bookings, "rendered", None)
    first = anna.post("reservations/confirm/", {"hold": hold}, **KEY)
    again = anna.post("reservations/confirm/", {"hold": hold}, **KEY)
    assert (first.status_code, again.status_code) == (201, 200)
    assert "Idempotency-Replayed" not in again


def test_p5_one_key_is_one_request_whatever_store_its_effect_is_in(
    anna: Traveller, bela: Traveller, departure: Departure
) -> None:
    """A lock's effect lies in Redis, a confirm's and a cancel's in PostgreSQL."""
    hold = anna.post("reservations/lock/", wish(departure, "S1-1"), **KEY).json()["hold"]
    reused = (422, "idempotency-key-reused")

    def told(answer: Any) -> tuple[int, str]:
        return answer.status_code, answer.json().get("code", "")

    assert told(anna.post("reservations/confirm/", {"hold": hold}, **KEY)) == reused
    other = {"Idempotency-Key": "other"}
    booked = anna.post("reservations/confirm/", {"hold": hold}, **other).json()
    cancel = f"reservations/bookings/{booked['pnr']}/cancel/"
    assert told(anna.post(cancel, {}, **other)) == reused
    assert told(anna.post(cancel, {}, **KEY)) == reused
    assert told(anna.post("reservations/lock/", wish(departure, "S1-2"), **other)) == reused
    assert told(bela.post("reservations/lock/", wish(departure, "S1-2"), **other)) == (201, "")
    refused = anna.post(cancel, {}, **KEY)
    assert 'rel="describedby"' in refused["Link"]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"seats": ["S9-99"]}, 400), ({"departure": 2**40}, 404), ({"colour": "red"}, 400)],
)
def test_p5_a_key_whose_request_never_began_may_be_used_for_the_corrected_one(
    anna: Traveller, departure: Departure, wrong: dict[str, Any], status: int
) -> None:
    right = wish(departure, "S1-1")
    assert anna.post("reservations/lock/", {**right, **wrong}, **KEY).status_code == status
    assert anna.post("reservations/lock/", right, **KEY).status_code == 201
    confirm = {"hold": anna.get("reservations/holds/").json()["results"][0]["hold"]}
    key = {"Idempotency-Key": "confirm"}
    nobodys = {"hold": forged(confirm["hold"])}
    assert anna.post("reservations/confirm/", nobodys, **key).status_code == 404
    assert anna.post("reservations/confirm/", confirm, **key).status_code == 201


def test_p5_a_lock_and_its_key_are_lost_together(anna: Traveller, departure: Departure) -> None:
    """Redis lost its memory: the hold is gone, and so is the key, so the request runs again."""
    body = wish(departure, "S1-1")
    first = anna.post("reservations/lock/", body, **KEY)
    holds_store().flushall()
    again = anna.post("reservations/lock/", body, **KEY)
    assert again.status_code == 201
    assert "Idempotency-Replayed" not in again
    assert again.json()["fence"] > first.json()["fence"]
    assert anna.get("reservations/holds/").json()["count"] == 1


def test_p5_a_booking_keeps_its_key_when_redis_loses_its_memory(
    anna: Traveller, departure: Departure
) -> None:
    hold = anna.post("reservations/lock/", wish(departure, "S1-1")).json()["hold"]
    first = anna.post("reservations/confirm/", {"hold": hold}, **KEY)
    holds_store().flushall()
    again = anna.post("reservations/confirm/", {"hold": hold}, **KEY)
    assert (again.status_code, again.content) == (201, first.content)
    assert again["Idempotency-Replayed"] == "true"


def test_p5_a_key_of_yesterday_that_was_not_purged_yet_is_free_again(
    anna: Traveller, departure: Departure
) -> None:
    """Redis forgets its part by itself after 24 hours; the row is there until the next purge."""
    key = {"Idempotency-Key": "daily"}
    old, hold = (
        anna.post("reservations/lock/", wish(departure, seat)).json()["hold"]
        for seat in ("S1-1", "S1-2")
    )
    assert anna.post("reservations/confirm/", {"hold": old}, **key).status_code == 201
    holds_store().delete(keys.idempotency(anna.user.pk, "daily"))
    yesterday = clock.now() - timedelta(hours=24, seconds=1)
    assert IdempotencyKey.objects.filter(key="daily").update(created_at=yesterday) == 1
    second = anna.post("reservations/confirm/", {"hold": hold}, **key)
    assert second.status_code == 201, second.content
    assert "Idempotency-Replayed" not in second
    again = anna.post("reservations/confirm/", {"hold": hold}, **key)
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")


def test_p5_every_post_takes_a_key_or_has_a_reason_not_to() -> None:
    document = yaml.safe_load(Path("docs/openapi.yaml").read_text())
    posts = [methods["post"] for methods in document["paths"].values() if "post" in methods]
    keyed = {
        post["operationId"]
        for post in posts
        if any(each["name"] == "Idempotency-Key" for each in post.get("parameters", ()))
    }
    without = {post["operationId"] for post in posts} - keyed
    assert without == {*KEYLESS, *ANSWER_WITH_A_SECRET}
    assert {"register", "lock_seats", "confirm_hold", "cancel_booking", "trains_create"} <= keyed
    for post in posts:
        creates = "201" in post["responses"]
        assert not creates or post["operationId"] in {*keyed, *ANSWER_WITH_A_SECRET}
        if post["operationId"] in keyed:
            told = {"409": "idempotency-in-flight", "422": "idempotency-key-reused"}
            for status, code in told.items():
                (content,) = post["responses"][status]["content"].values()
                assert code in content["examples"]
