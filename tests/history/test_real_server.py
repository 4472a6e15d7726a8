"""Two web processes, eight travellers at random for a few seconds: an order explains it all."""

from collections.abc import Callable
from threading import Event

import pytest

from tests.availability import railway
from tests.chaos.travelling import Stage, call_back, let_go
from tests.engine import Traveller
from tests.history.events import History, Kind, Route
from tests.history.judge import judge
from tests.history.recorder import Recorder
from tests.invariants import assert_invariants
from tests.web import web_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

TRAVELLERS = 8
CALLS = 400
AT_MOST_SECONDS = 20.0
WANTED = frozenset({Kind.LOCK, Kind.CONFIRM, Kind.CANCEL, Kind.RELEASE, Kind.SEATS})
STOPS = ("AAA", "BBB", "CCC", "DDD")


def test_a_random_sale_over_http_is_linearizable(
    make_traveller: Callable[..., Traveller],
) -> None:
    train = railway.train(stops=STOPS, coaches=(("S1", "SL", 6),))
    departures = [railway.departure(train, days_ahead=2 + n).pk for n in range(2)]
    route = Route(stops=STOPS, seats={f"S1-{number}": "SL" for number in range(1, 7)})
    tokens = [make_traveller(f"rider{n}").access for n in range(TRAVELLERS)]
    recorder = Recorder()

    limits = {"HOLD_TTL_SECONDS": "2", "HOLD_MAX_TOTAL_SECONDS": "5", "HOLD_MAX_PER_USER": "20"}
    with web_server(THROTTLES="off", **limits) as web:
        stage = Stage(
            url=web.url, stops=STOPS, seats=tuple(route.seats), travel_class="SL",
            departures=departures, recorder=recorder, pause_seconds=0.005, cancels=1.0,
        )  # fmt: skip
        travellers = let_go(stage, tokens, seed=1)
        await_calls(recorder, stage.over)
        call_back(stage, travellers)

    history = recorder.history(
        dict.fromkeys(departures, route), hold_ttl_seconds=2.0, hold_max_total_seconds=5.0
    )
    assert granted(history) >= WANTED
    judged = judge(history)
    assert judged.faults == ()
    assert judged.undecided == ()
    assert_invariants()


def await_calls(recorder: Recorder, tick: Event) -> None:
    """Wait until so many calls were answered, of each kind one with a yes; a bounded time."""
    for _ in range(int(AT_MOST_SECONDS / 0.1)):
        history = recorder.history({})
        if len(history.calls) >= CALLS and granted(history) >= WANTED:
            return
        tick.wait(0.1)


def granted(history: History) -> set[Kind]:
    """The kinds of call that were answered with a yes."""
    return {call.kind for call in history.calls if call.status and call.status < 300}
