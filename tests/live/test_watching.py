"""A socket is told what happens to seats: a snapshot, then every change in order."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from config.stores.redis import holds_store
from reservations.holds import store
from reservations.services.block_seats import block_seats
from reservations.services.expire_holds import expire_holds
from tests.engine import Traveller
from tests.live.selling import confirm, lock, release
from tests.live.server import DEADLINE_SECONDS, Live
from trains.models import Departure

Commits = Callable[..., Any]


def seat_map(departure: Departure) -> dict[str, Any]:
    shown: dict[str, Any] = Client().get(f"/api/v1/departures/{departure.id}/seats/").json()
    return shown


def as_told(shown: dict[str, Any]) -> list[dict[str, Any]]:
    """The seats of a seat map, with what a socket is told of them."""
    kept = ("seat", "status", "held_until")
    return [{key: each[key] for key in kept if key in each} for each in shown["seats"]]


def test_a_snapshot_comes_first_and_says_what_the_seat_map_says(
    live: Live, departure: Departure, anna: Traveller
) -> None:
    confirm(anna, lock(anna, departure, "C1-1"))
    lock(anna, departure, "S1-1", "S1-2")
    with live.watch(departure.id) as watcher:
        snapshot = watcher.next()
    shown = seat_map(departure)
    assert (snapshot["type"], snapshot["seq"], snapshot["stale"]) == ("snapshot", 1, False)
    assert (snapshot["source"], snapshot["destination"]) == ("AAA", "EEE")
    assert snapshot["free"] == shown["free"] == 13
    assert snapshot["seats"] == as_told(shown)
    assert {each["status"] for each in snapshot["seats"]} == {"free", "held", "sold"}


def test_a_seat_turns_held_sold_and_free_under_the_eye(
    live: Live, departure: Departure, anna: Traveller
) -> None:
    with live.watch(departure.id) as watcher:
        watcher.next()
        held = lock(anna, departure, "S1-1")
        told = datetime.fromisoformat(watcher.until("S1-1", "held")["held_until"])
        assert told == datetime.fromisoformat(held["expires_at"])
        booked = confirm(anna, held)
        assert "held_until" not in watcher.until("S1-1", "sold")
        assert anna.post(f"reservations/bookings/{booked['pnr']}/cancel/").status_code == 200
        watcher.until("S1-1", "free")
        other = lock(anna, departure, "S1-3")
        watcher.until("S1-3", "held")
        release(anna, other)
        watcher.until("S1-3", "free")


def test_a_deadline_that_moves_is_told(live: Live, departure: Departure, anna: Traveller) -> None:
    held = lock(anna, departure, "S1-1")
    with live.watch(departure.id) as watcher:
        watcher.next()
        path = f"reservations/holds/{held['hold']}/extend/"
        until = anna.post(path).json()["expires_at"]
        assert watcher.next("seats")["changes"] == [
            {"seat": "S1-1", "status": "held", "held_until": until}
        ]


def test_what_staff_block_is_told(live: Live, departure: Departure, controller: Traveller) -> None:
    with live.watch(departure.id) as watcher:
        watcher.next()
        block_seats(
            actor=controller.user.pk, departure=departure.id, seats=["S1-8"], reason="broken"
        )
        watcher.until("S1-8", "blocked")


def test_the_end_of_a_hold_is_known_beforehand_and_swept_later(
    live: Live, departure: Departure, anna: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.ENV, "hold_ttl_seconds", 1)
    with live.watch(departure.id) as watcher:
        watcher.next()
        lock(anna, departure, "S1-1")
        ends = datetime.fromisoformat(watcher.until("S1-1", "held")["held_until"]).timestamp()
        while store.redis_now_ms() < ends * 1000:
            time.sleep(0.05)  # a real second of a real clock
        # Who comes now is told so, though nothing has swept.
        with live.watch(departure.id, destination="DDD") as other:
            other.next()
            assert other.status("S1-1") == "free"
        expire_holds()
        watcher.until("S1-1", "free")


def test_a_stretch_is_told_of_its_own_legs_alone(
    live: Live, departure: Departure, anna: Traveller
) -> None:
    with live.watch(departure.id, source="ccc", destination="EEE") as watcher:
        snapshot = watcher.next()
        assert (snapshot["source"], snapshot["destination"]) == ("CCC", "EEE")
        lock(anna, departure, "S1-1", to="CCC")
        lock(anna, departure, "S1-2", to="DDD")
        assert watcher.until("S1-2", "held")
        assert watcher.status("S1-1") == "free"


def test_nobodys_seat_is_mine(live: Live, departure: Departure, anna: Traveller) -> None:
    lock(anna, departure, "S1-1")
    headers = {"Authorization": f"Bearer {anna.access}"}
    with live.watch(departure.id, headers=headers) as watcher:
        watcher.next()
        assert watcher.status("S1-1") == "held"


def test_many_changes_at_once_arrive_in_order_and_leave_the_right_picture(
    live: Live, departure: Departure, anna: Traveller, bela: Traveller
) -> None:
    """The watcher itself holds that no number is missing."""

    def trade(who: Traveller, coach: str, last: int) -> dict[str, Any]:
        for turn in range(10):
            release(who, lock(who, departure, f"{coach}-{turn % 4 + 1}"))
        held = lock(who, departure, f"{coach}-{last}")
        connection.close()
        return held

    with live.watch(departure.id) as watcher, ThreadPoolExecutor(2) as pool:
        watcher.next()
        for last in (5, 6, 7, 8):
            trades = [pool.submit(trade, anna, "S1", last), pool.submit(trade, bela, "C1", last)]
            holds = [each.result() for each in trades]
            shown = as_told(seat_map(departure))
            deadline = time.monotonic() + DEADLINE_SECONDS
            while list(watcher.seats.values()) != shown:
                assert time.monotonic() < deadline
                watcher.next()
            for who, held in zip((anna, bela), holds, strict=True):
                release(who, held)
    assert watcher.seq > 4, "one picture, and each of four was another"


def test_a_heartbeat_repeats_the_number(live: Live, departure: Departure) -> None:
    with live.watch(departure.id) as watcher:
        watcher.next()
        beat = watcher.next("heartbeat")
    assert (beat["seq"], beat["stale"]) == (1, False)
    assert datetime.fromisoformat(beat["server_time"]).tzinfo is not None


def test_a_redis_that_forgot_everything_is_noticed_by_a_heartbeat(
    live: Live, departure: Departure, anna: Traveller
) -> None:
    lock(anna, departure, "S1-1")
    with live.watch(departure.id) as watcher:
        watcher.next()
        assert watcher.status("S1-1") == "held"
        holds_store().flushall()
        watcher.until("S1-1", "free")


def test_the_process_says_how_it_is(live: Live, departure: Departure) -> None:
    with live.watch(departure.id) as watcher:
        watcher.next()
        told = live.metrics()
    assert "seatlock_live_sockets 1.0" in told
    assert "seatlock_live_redis_connected 1.0" in told
