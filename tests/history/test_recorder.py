"""What is recorded is what was asked and answered, also when no answer came."""

import json
import time
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.chaos.drill import confirms_past_redis
from tests.history.events import History, Kind, read, write
from tests.history.recorder import Recorder
from tests.history.telling import ROUTE, Story

BASE = "http://seatlock.test/api/v1"


def server(request: httpx.Request) -> httpx.Response:
    """A stand-in that knows three answers."""
    if request.url.path.endswith("/confirm/"):
        raise httpx.ReadTimeout("no answer", request=request)
    if request.url.path.endswith("/lock/"):
        body = {"hold": "h", "seats": ["S1"]}
        return httpx.Response(201, json=body, headers={"Idempotency-Replayed": "true"})
    return httpx.Response(204)


@pytest.fixture
def recorder() -> Recorder:
    ticks = count()
    return Recorder(clock=lambda: float(next(ticks)))


@pytest.fixture
def anna(recorder: Recorder) -> httpx.Client:
    transport = recorder.transport("anna", httpx.MockTransport(server))
    return httpx.Client(base_url=BASE, transport=transport)


def test_a_call_is_recorded_with_its_times_and_its_answer(
    recorder: Recorder, anna: httpx.Client
) -> None:
    body = {"departure": 7, "source": "A", "destination": "C", "seats": ["S1"]}
    answer = anna.post("/reservations/lock/", json=body, headers={"Idempotency-Key": "k"})
    assert answer.json()["hold"] == "h"
    (call,) = recorder.history({7: ROUTE}).calls
    assert (call.client, call.kind, call.invoked, call.returned) == ("anna", Kind.LOCK, 0.0, 1.0)
    assert (call.departure, call.stretch, call.seats) == (7, ("A", "C"), ("S1",))
    assert (call.status, call.key, call.replayed) == (201, "k", True)
    assert call.answer == {"hold": "h", "seats": ["S1"]}


def test_a_call_without_an_answer_is_unknown(recorder: Recorder, anna: httpx.Client) -> None:
    with pytest.raises(httpx.ReadTimeout):
        anna.post("/reservations/confirm/", json={"hold": "h"})
    (call,) = recorder.history({}).calls
    assert call.is_unknown
    assert (call.hold, call.returned, call.status) == ("h", None, None)


def test_a_call_under_way_is_unknown(recorder: Recorder) -> None:
    seen: list[History] = []

    def look(_: httpx.Request) -> httpx.Response:
        seen.append(recorder.history({}))
        return httpx.Response(204)

    client = httpx.Client(
        base_url=BASE, transport=recorder.transport("anna", httpx.MockTransport(look))
    )
    client.delete("/reservations/holds/h/")
    (call,) = seen[0].calls
    assert call.is_unknown
    assert recorder.history({}).calls[0].status == 204


def test_other_calls_are_let_through_unrecorded(recorder: Recorder, anna: httpx.Client) -> None:
    assert anna.get("/stations/").status_code == 204
    assert recorder.history({}).calls == ()


def test_a_history_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    story = Story()
    story.lock(0, "a", "S1", key="k")
    story.confirm(1, "a", None)
    story.seat_map(2, S1="sold")
    story.sleep(3, 4)
    file = tmp_path / "history.jsonl"
    write(story.history, file)
    lines = file.read_text().splitlines()
    assert len(lines) == 4
    assert json.loads(lines[1])["kind"] == "lock"
    assert read(file) == story.history


def test_the_log_tells_when_confirms_went_past_redis() -> None:
    """P2 sleeps then, and the judge must know; several at once are one sleep."""
    now = time.time() - 30
    stamps = [time.strftime("%Y-%m-%d %H:%M:%S,250", time.gmtime(now + at)) for at in (0, 0, 9)]
    lines = [
        "[INFO] Starting granian (main PID: 7)",
        f"{stamps[0]} INFO reservations.services.claim_hold: confirming a-b past Redis: Timeout",
        f"{stamps[1]} INFO reservations.services.claim_hold: confirming c-d past Redis: Timeout",
        f"{stamps[2]} WARNING reservations.services.cancel_booking: cancelled, but not told",
        f"{stamps[2]} INFO reservations.services.claim_hold: confirming e-f past Redis: Timeout",
    ]
    first, second = confirms_past_redis("\n".join(lines))
    assert first.start < time.monotonic() - 30 < first.end
    assert 8.9 < second.start - first.start < 9.1
    assert confirms_past_redis(lines[0]) == []
