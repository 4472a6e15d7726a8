"""Rooms, limits and origins by themselves, at the exact points that sockets rarely reach."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings

from reservations.availability.plans import Plan, Stretch, plan_of
from reservations.availability.seat_states import SeatState, read_states
from tests.engine import Traveller
from tests.live.selling import lock
from trains.models import Departure
from web.live import feeds, looking, rooms
from web.live.door import is_host_ours, is_origin_ours
from web.live.feeds import Feed
from web.live.limits import Limits
from web.live.rooms import Fallen, Room

Look = Callable[[], tuple[Plan, SeatState]]
WHOLE = Stretch(0, 4)


@pytest.fixture
def look(db: None, departure: Departure) -> Look:
    def looking() -> tuple[Plan, SeatState]:
        plan = plan_of(departure.id)
        return plan, read_states({departure.id: plan}, members=True)[departure.id]

    return looking


def told(room: Room, *, since: int) -> list[dict[str, Any]]:
    """What a reader at this position would get now."""

    async def read() -> list[dict[str, Any]]:
        return [json.loads(await room.next(at)) for at in range(since, room.end)]

    found: list[dict[str, Any]] = run(read())
    return found


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def test_a_look_that_shows_nothing_new_is_not_told(
    look: Look, departure: Departure, anna: Traveller
) -> None:
    room = Room(departure.id, WHOLE)
    plan, state = look()
    assert room.advance(plan, state) == 16
    at = room.end
    assert room.advance(*look()) == 0
    assert room.end == at
    lock(anna, departure, "S1-1", "S1-2")
    assert room.advance(*look()) == 2
    (change,) = told(room, since=at)
    assert (change["type"], change["seq"]) == ("seats", 2)
    assert {each["seat"] for each in change["changes"]} == {"S1-1", "S1-2"}


def test_who_lacks_what_the_log_forgot_falls_out(
    look: Look, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "LOG_MESSAGES", 4)
    room = Room(departure.id, WHOLE)
    room.advance(*look())
    at = room.end
    for _ in range(4):
        room.beat()
    assert len(told(room, since=at)) == 4
    room.beat()
    with pytest.raises(Fallen):
        run(room.next(at))


def test_the_log_is_bounded_by_its_size_as_well(
    look: Look, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "LOG_CHARACTERS", 300)
    room = Room(departure.id, WHOLE)
    room.advance(*look())
    at = room.end
    room.beat()
    assert told(room, since=at)[0]["type"] == "heartbeat"
    with pytest.raises(Fallen):
        run(room.next(at - 1))


def test_only_what_the_log_still_has_can_be_caught_up_with(
    look: Look, departure: Departure, anna: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "LOG_MESSAGES", 4)
    room = Room(departure.id, WHOLE)
    room.advance(*look())
    for seat in ("S1-1", "S1-2", "S1-3"):
        lock(anna, departure, seat)
        room.advance(*look())
        room.beat()
    assert room.seq == 4
    assert room.resumed(room.stream, 4) == room.end
    position = room.resumed(room.stream, 2)
    assert position is not None
    missed = [each["seq"] for each in told(room, since=position) if each["type"] == "seats"]
    assert missed == [3, 4]
    assert room.resumed(room.stream, 1) is None
    assert room.resumed(room.stream, 5) is None
    assert room.resumed("another", 4) is None


def test_without_redis_the_last_picture_stays_until_there_is_a_new_one(
    look: Look, departure: Departure, anna: Traveller
) -> None:
    lock(anna, departure, "S1-1")
    room = Room(departure.id, WHOLE)
    plan, state = look()
    room.advance(plan, state)
    at = room.end
    away = replace(state, stale=True, held=state.held * 0, members=())
    room.advance(plan, away)
    room.advance(plan, replace(away))
    assert [each["type"] for each in told(room, since=at)] == ["stale"]
    assert json.loads(room.snapshot())["stale"] is True
    room.advance(*look())
    assert [each["type"] for each in told(room, since=at)] == ["stale", "snapshot"]
    assert json.loads(room.snapshot())["stale"] is False


def test_places_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "throttles", "on")
    monkeypatch.setattr(settings.ENV, "live_max_per_address", 1)
    monkeypatch.setattr(settings.ENV, "live_max_per_user", 1)
    limits = Limits()
    first = limits.enter("net")
    assert first is not None
    assert limits.enter("net") is None
    assert limits.identify(first, 7)
    assert limits.identify(first, 7)
    second = limits.enter("net")
    assert second is not None
    assert not limits.identify(second, 7)
    limits.leave(first)
    assert limits.identify(second, 7)
    limits.leave(second)
    assert limits.sockets == 0
    assert limits.enter("net") is not None


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        ("http://127.0.0.1:8000", True),
        ("https://rail.example", True),
        ("https://rail.example:8443", True),
        ("https://app.example", True),
        ("http://app.example", False),
        ("https://other.example", False),
        ("https://rail.example.evil", False),
        ("https://rail.example@evil.example", False),
        ("null", False),
        ("", False),
        ("rail.example", False),
    ],
)
def test_origins(monkeypatch: pytest.MonkeyPatch, origin: str, ours: bool) -> None:
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["127.0.0.1", "rail.example"])
    monkeypatch.setattr(settings, "CORS_ALLOWED_ORIGINS", ["https://app.example"])
    assert is_origin_ours(origin) is ours


def test_a_host_that_is_not_ours_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["rail.example"])
    assert is_host_ours("rail.example:8001")
    assert not is_host_ours("evil.example")
    assert not is_host_ours("")


def test_a_look_that_fails_whatever_way_is_made_again(
    departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who watches is told that the picture is old, and gets a new one when looks succeed again."""
    real, is_broken = looking.look, False

    def look_or_raise(number: int) -> Any:
        if is_broken:
            raise RuntimeError("nobody foresaw this")
        return real(number)

    monkeypatch.setattr(feeds, "look", look_or_raise)
    monkeypatch.setattr(feeds, "STALE_RETRY_SECONDS", 0.05)

    async def story() -> list[str]:
        nonlocal is_broken
        feed = Feed(departure.id)
        room = await feed.enter("", "")
        at = room.end
        is_broken = True
        feed.changed()
        first = await room.next(at)
        is_broken = False
        second = await room.next(at + 1)
        feed.leave(room)
        return [json.loads(each)["type"] for each in (first, second)]

    assert run(asyncio.wait_for(story(), 20)) == ["stale", "snapshot"]
