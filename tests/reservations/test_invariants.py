"""`check_invariants` over the engine: a whole sale is good, and each fault that is planted is told.

Faults are planted past every guard: rows by SQL with the constraints gone, bits and members by
hand in Redis.
"""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from config.outbox.models import OutboxEvent
from config.stores import keys
from config.stores.redis import holds_store
from reservations.holds import ids
from reservations.invariants.checks import ENGINE_CHECKS, check_engine
from reservations.invariants.judging import Scope
from reservations.models import BookedSeat, Booking
from reservations.services import refresh_image
from tests.engine import Traveller
from tests.selling import Commits, Sale, sell
from trains.models import Departure

pytestmark = pytest.mark.django_db

AT_REST = Scope(patience_seconds=0.0, at_rest=True)
MEANWHILE = Scope(patience_seconds=0.0)
# Than a hold may live, however it was made.
LONGER_MS = settings.ENV.longest_hold_seconds * 1000
HALF_GONE = """
DELETE FROM reservations_bookedseat USING trains_seat
 WHERE trains_seat.id = seat_id AND number = 2
"""


@pytest.fixture
def sale(
    departure: Departure,
    anna: Traveller,
    bela: Traveller,
    django_capture_on_commit_callbacks: Commits,
) -> Sale:
    return sell(departure, anna, bela, django_capture_on_commit_callbacks)


def faults(scope: Scope = AT_REST) -> dict[str, str]:
    """What is wrong, by check."""
    results = check_engine(scope)
    assert not [result for result in results if result.unanswered]
    return {each.name: "\n".join(each.wrong) for each in results if each.wrong}


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement, values)


def without(constraint: str, table: str) -> None:
    """Take a constraint away; the test's transaction brings it back."""
    sql(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")


def key(sale: Sale, what: str) -> str:
    return keys.of(sale.departure.id, what)


def member(sale: Sale) -> bytes:
    """The member of Bela's hold."""
    (found,) = holds_store().zrange(key(sale, "live"), 0, -1)
    assert isinstance(found, bytes)
    return found


def seat_id(sale: Sale, number: int) -> int:
    seats = sale.departure.train.seats.filter(coach__label="S1", number=number)
    return seats.values_list("pk", flat=True).get()


def test_a_whole_sale_is_good_and_was_looked_at(sale: Sale) -> None:
    results = check_engine(AT_REST)
    assert not [result for result in results if not result.is_good]
    seen = {result.name: result.seen for result in results}
    assert seen["no-seat-sold-twice"] == 3
    assert seen["images-agree"] == 1
    assert seen["holds-are-sound"] == 1


def test_two_live_rows_of_one_seat_are_told(sale: Sale) -> None:
    without("seat_sold_once_per_leg", "reservations_bookedseat")
    twin = Booking.objects.create(
        hold="x", pnr="TWIN", owner=sale.bela.user, departure=sale.departure, status="confirmed",
        from_stop=1, to_stop=2, fence=7,
    )  # fmt: skip
    BookedSeat.objects.create(
        booking=twin, departure=sale.departure, seat_id=seat_id(sale, 2), legs=(1, 2)
    )
    told = faults()["no-seat-sold-twice"]
    assert "TWIN" in told
    assert "S1-2" in told


def test_rows_that_only_touch_are_good(sale: Sale) -> None:
    other = Booking.objects.get(pnr=sale.cancelled["pnr"])
    BookedSeat.objects.create(
        booking=other, departure=sale.departure, seat_id=seat_id(sale, 1), legs=(2, 3)
    )
    assert "no-seat-sold-twice" not in faults()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (HALF_GONE, "fewer or more seats"),
        ("UPDATE reservations_bookedseat SET live = FALSE", "has no seat"),
        ("UPDATE reservations_bookedseat SET live = TRUE", "still keeps a seat"),
        ("UPDATE reservations_bookedseat SET legs = '[0,3)' WHERE live", "on other legs"),
        ("UPDATE reservations_booking SET owner_id = NULL", "no PNR or no owner"),
    ],
)  # fmt: skip
def test_a_booking_that_is_not_whole_is_told(sale: Sale, statement: str, words: str) -> None:
    sql(statement)
    assert words in faults()["bookings-are-whole"]


def test_a_void_row_beside_a_booking_is_told(sale: Sale) -> None:
    sql(
        "DO $$ DECLARE name text; BEGIN FOR name IN SELECT conname FROM pg_constraint"
        " WHERE conrelid = 'reservations_booking'::regclass AND contype = 'u'"
        " LOOP EXECUTE 'ALTER TABLE reservations_booking DROP CONSTRAINT ' || name; END LOOP; END"
        " $$"
    )
    Booking.objects.create(hold=sale.booked["hold"], departure=sale.departure, status="void")
    assert "confirmed, void" in faults()["one-row-a-hold"]


def test_a_booking_without_its_fact_is_told(sale: Sale) -> None:
    OutboxEvent.objects.filter(event_id=f"{sale.booked['hold']}:confirmed").delete()
    OutboxEvent.objects.filter(event_id=f"{sale.cancelled['pnr']}:cancelled").delete()
    told = faults()["bookings-have-facts"]
    assert f"{sale.booked['hold']}:confirmed" in told
    assert f"{sale.cancelled['pnr']}:cancelled" in told


def test_a_fact_of_no_booking_is_told(sale: Sale) -> None:
    invented = OutboxEvent.objects.get(event_id=f"{sale.booked['hold']}:confirmed")
    invented.pk, invented.event_id = None, "nobody-holds-this:confirmed"
    invented.subject = "AAAAAAAAAA"
    invented.save(force_insert=True)
    assert "nobody-holds-this:confirmed is of no booking" in faults()["bookings-have-facts"]


def test_a_cancellation_in_the_outbox_alone_is_told(sale: Sale) -> None:
    sql("UPDATE reservations_booking SET status = 'confirmed', cancelled_at = NULL")
    sql("UPDATE reservations_bookedseat SET live = TRUE")
    assert f"{sale.cancelled['pnr']}:cancelled is of no booking" in faults()["bookings-have-facts"]


def test_a_fact_nobody_acted_on_is_told_at_rest_alone(sale: Sale) -> None:
    OutboxEvent.objects.update(consumed_at=None)
    assert "was not acted on" in faults()["facts-were-acted-on"]
    assert "facts-were-acted-on" not in faults(MEANWHILE)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE idempotency_idempotencykey SET body = jsonb_set(body::jsonb, '{pnr}', '\"NONE\"')",
         "which there is not"),
        ("UPDATE idempotency_idempotencykey SET user_id = user_id + 1 WHERE key = 'one'",
         "somebody else"),
        ("UPDATE reservations_booking SET status = 'confirmed'", "is cancelled, which it is not"),
        ("UPDATE idempotency_idempotencykey SET status = 0", "without an answer"),
    ],
)  # fmt: skip
def test_a_key_that_lies_is_told(sale: Sale, statement: str, words: str) -> None:
    sql(statement)
    assert words in faults()["keys-tell-the-truth"]


def test_a_fence_given_twice_is_told(sale: Sale) -> None:
    sql("UPDATE reservations_booking SET fence = 5")
    assert "fence 5 belongs to 2 bookings" in faults()["fences-of-bookings"]


def set_bit(sale: Sale, what: str, seat: int, leg: int, value: int) -> None:
    """Seats S1-1 … are places 0 … of one word each; leg k is bit k of a little-endian word."""
    at = (seat - 1) * 4
    bytes_now: Any = holds_store().getrange(key(sale, what), at, at + 3)
    word = int.from_bytes(bytes_now, "little") & ~(1 << leg) | value << leg
    holds_store().setrange(key(sale, what), at, word.to_bytes(4, "little"))


@pytest.mark.parametrize(
    ("what", "seat", "leg", "words"),
    [
        ("held", 6, 0, "S1-6 on leg 0 is held, and no hold has it"),
        ("held", 3, 1, "S1-3 on leg 1 is free, and a hold has it"),
        ("sold", 6, 3, "S1-6 on leg 3 is sold, and no row says so"),
        ("sold", 1, 1, "S1-1 on leg 1 is free, and a row says it is sold"),
        ("sold", 3, 0, "S1-3 on leg 0 is held and sold"),
        ("sold", 6, 9, "S1-6 on leg 9 is no seat of this train, and taken"),
    ],
)
def test_a_wrong_bit_is_told(sale: Sale, what: str, seat: int, leg: int, words: str) -> None:
    set_bit(sale, what, seat, leg, 0 if "is free" in words else 1)
    assert words in faults()["images-agree"]


def test_two_holds_of_one_seat_are_told(sale: Sale) -> None:
    hold, rest = member(sale).split(b" ", 1)
    twin = ids.mint(departure=sale.departure.id, user=sale.bela.user.id).encode()
    score = holds_store().zscore(key(sale, "live"), member(sale))
    assert score is not None
    assert twin != hold
    holds_store().zadd(key(sale, "live"), {twin + b" " + rest: score})
    assert "S1-3 on leg 0 belongs to two holds" in faults()["images-agree"]


def test_an_image_of_an_older_timetable_is_told(sale: Sale) -> None:
    holds_store().hset(key(sale, "image"), "revision", "0.0")
    assert "timetable 0.0" in faults()["images-agree"]


def test_a_block_the_image_does_not_know_is_told(sale: Sale) -> None:
    sql(
        "INSERT INTO reservations_seatblock (departure_id, seat_id, reason, created_by_id)"
        " VALUES (%s, %s, '', %s)",
        sale.departure.id, seat_id(sale, 8), sale.anna.user.id,
    )  # fmt: skip
    assert "S1-8 on leg 0 is blocked" in faults()["images-agree"]


def test_a_count_that_does_not_add_up_is_told(sale: Sale, monkeypatch: pytest.MonkeyPatch) -> None:
    from reservations.invariants import images

    monkeypatch.setattr(images, "count_free", lambda *_: {"SL": 3})
    assert "on leg 3 are not its 16 seats" in faults()["images-agree"]


def rewrite(sale: Sale, change: Callable[[bytes], bytes]) -> None:
    """Put another member in the place of Bela's."""
    before = member(sale)
    score = holds_store().zscore(key(sale, "live"), before)
    assert score is not None
    holds_store().zrem(key(sale, "live"), before)
    holds_store().zadd(key(sale, "live"), {change(before): score})


def test_a_hold_older_than_its_cap_is_told(sale: Sale) -> None:
    holds_store().zincrby(key(sale, "live"), LONGER_MS, member(sale))
    assert "HOLD_MAX_TOTAL_SECONDS" in faults()["holds-are-sound"]


def test_a_pin_longer_than_any_hold_is_told(sale: Sale) -> None:
    score = holds_store().zscore(key(sale, "live"), member(sale)) or 0.0
    holds_store().zadd(key(sale, "confirming"), {member(sale): score + LONGER_MS})
    told = faults()["holds-are-sound"]
    assert "is pinned for longer" in told
    assert "is there 2 times" in told


def test_a_hold_of_nobody_is_told(sale: Sale) -> None:
    rewrite(sale, lambda text: b"forged" + text[6:])
    assert "was not made by this Seatlock" in faults()["holds-are-sound"]


def test_a_hold_in_the_wrong_place_is_told(sale: Sale) -> None:
    other = ids.mint(departure=sale.departure.id + 64, user=sale.bela.user.id).encode()
    rewrite(sale, lambda text: other + text[ids.LENGTH :])
    assert "of another departure or user" in faults()["holds-are-sound"]


def test_a_member_nobody_can_read_is_told(sale: Sale) -> None:
    rewrite(sale, lambda _: b"what is this")
    assert "cannot be read" in faults()["holds-are-sound"]


def test_a_hold_the_sweep_does_not_know_is_told(sale: Sale) -> None:
    due = keys.due(keys.shard(sale.departure.id))
    holds_store().zincrby(due, 60_000, str(sale.departure.id))
    assert "sweep's index" in faults()["holds-are-sound"]
    holds_store().delete(due)
    assert "sweep's index" in faults()["holds-are-sound"]


def pin(sale: Sale) -> None:
    from reservations.holds import store

    store.pin(ids.read(sale.hold["hold"]), sale.bela.sid, None)


def test_a_pin_is_wrong_at_rest_or_when_it_ran_out(sale: Sale, time_passes: Any) -> None:
    pin(sale)
    assert "pins-end" not in faults(MEANWHILE)
    assert "no confirm runs" in faults()["pins-end"]
    pinned: Any = holds_store().zrange(key(sale, "confirming"), 0, -1)[0]
    holds_store().zadd(key(sale, "confirming"), {pinned: 1_000})
    assert "ran out and nobody ended it" in faults(MEANWHILE)["pins-end"]


@pytest.mark.parametrize("status", ["void", "confirmed"])
def test_a_hold_that_is_over_in_postgresql_is_told(sale: Sale, status: str) -> None:
    Booking.objects.create(hold=sale.hold["hold"], departure=sale.departure, status=status)
    assert f"is {status} in PostgreSQL and still held" in faults()["over-is-over"]


def test_a_confirm_between_commit_and_settle_is_good(
    sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reservations.services import confirm_booking

    monkeypatch.setattr(confirm_booking, "_settle", lambda *_: None)
    answer = sale.bela.post("reservations/confirm/", {"hold": sale.hold["hold"]})
    assert answer.status_code == 201
    assert faults(MEANWHILE) == {}
    refresh_image.refresh_departure(departure=sale.departure.id)
    assert faults(MEANWHILE) == {}


def test_a_fence_that_would_go_back_is_told(sale: Sale) -> None:
    sql("UPDATE reservations_booking SET fence = fence * 2 WHERE status = 'confirmed'")
    assert "would not be greater" in faults()["fences-grow"]


def test_a_hold_with_a_fence_that_was_never_given_is_told(sale: Sale) -> None:
    holds_store().set(key(sale, "fence"), 1)
    assert "greater fence than the last" in faults()["fences-grow"]


def test_a_member_set_aside_is_told(sale: Sale) -> None:
    holds_store().rpush(keys.odd(3), "what is this")
    assert keys.odd(3) in faults()["nothing-is-odd"]


def test_a_departure_not_asked_for_is_not_looked_at(sale: Sale) -> None:
    set_bit(sale, "held", 6, 0, 1)
    sql("UPDATE reservations_booking SET fence = 5")
    other = Scope(departures=(sale.departure.id + 1,), patience_seconds=0.0)
    assert faults(other) == {}
    mine = Scope(departures=(sale.departure.id,), patience_seconds=0.0)
    assert set(faults(mine)) == {"images-agree", "fences-of-bookings"}


def test_every_check_can_say_that_its_store_is_away(
    sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    import redis.exceptions

    def away(*_: object, **__: object) -> None:
        raise redis.exceptions.ConnectionError("gone")

    monkeypatch.setattr(type(holds_store()), "guarded", away)
    results = check_engine(AT_REST)
    silent = {result.name for result in results if result.unanswered}
    assert silent == {
        "images-agree", "holds-are-sound", "pins-end", "over-is-over", "fences-grow",
        "nothing-is-odd",
    }  # fmt: skip
    assert len(results) == len(ENGINE_CHECKS)


@pytest.mark.usefixtures("mongo")
def test_the_command_fails_when_something_is_wrong(sale: Sale) -> None:
    set_bit(sale, "held", 6, 0, 1)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("check_invariants", "--patience", "0", stdout=out)
    assert "WRONG    images-agree" in out.getvalue()
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("check_invariants", "--patience", "0", "--json", stdout=out)
    report = json.loads(out.getvalue())
    assert report["good"] is False
    bad = {check["name"]: check["wrong"] for check in report["checks"] if check["wrong"]}
    assert bad.keys() == {"images-agree"}, bad
