"""The drill itself: start everything, sell, break, look, mend, and look again.

    each fault   a second of sale ... fault ......... over ... first booking ... its document
                                      |<- departures of its own, on sale to the end of it ->|
                                                                 check_invariants, beside the load

Departures are the fault's own, so that the history of each is short enough to judge.
"""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg

from config.embedded.places import CHECKOUT, passing_places
from config.embedded.processes import become_subreaper
from tests.chaos import report as reports
from tests.chaos.audit import audit, check
from tests.chaos.faults import FULL, SHORT, Fault, Injected, What, inject
from tests.chaos.plant import SETTINGS, Plant, make_plant
from tests.chaos.probe import Probe, await_rest
from tests.chaos.report import Episode, Report, say
from tests.chaos.travelling import ANSWER_SECONDS, Stage, call_back, let_go
from tests.history import events
from tests.history.events import History, Route, Sleep
from tests.history.judge import judge
from tests.history.recorder import Recorder

TRAIN = "77001"
TRAVEL_CLASS = "SL"
STOPS = 5
SEATS = 12
DEPARTURES_A_FAULT = 3
WARM_UP_SECONDS = 1.0
PATIENCE_SECONDS = 15.0  # a pin and a sweep, and a worker that has much to catch up with
SETTLE_SECONDS = 20.0
PAST_REDIS = " past Redis: "
REPORTS = CHECKOUT / ".data" / "chaos"


@dataclass(frozen=True, kw_only=True)
class Form:
    """How much: `needed` calls must overlap faults."""

    faults: Sequence[Fault]
    travellers: int
    needed: int


FULL_FORM = Form(faults=FULL, travellers=16, needed=1_000)
SHORT_FORM = Form(faults=SHORT, travellers=12, needed=300)


def only(form: Form, words: Sequence[str]) -> Form:
    """The form with those faults alone whose names have some of these words in them."""
    faults = [fault for fault in form.faults if any(word in str(fault) for word in words)]
    return replace(form, faults=faults, needed=form.needed * len(faults) // len(form.faults))


def run(form: Form, *, seed: int) -> int:
    """Run the drill and give its exit status: 0 if nothing was wrong."""
    become_subreaper()  # what a killed parent leaves behind comes to us
    began = time.monotonic()
    with passing_places(prefix="chaos") as places:
        plant = make_plant(places)
        try:
            say("starting the stores, web, worker and beat")
            plant.start()
            report = _drill(plant, form, seed=seed, began=began)
        finally:
            plant.end()
            shutil.copytree(places.logs, REPORTS / "logs", dirs_exist_ok=True)
    reports.save(report, REPORTS)
    say(f"reports are in {REPORTS}\n\n{reports.as_markdown(report)}")
    return 1 if list(report.faults()) else 0


def _drill(plant: Plant, form: Form, *, seed: int, began: float) -> Report:
    tokens = _tokens(plant, form.travellers + 1)
    numbers = _departures(plant, len(form.faults) * DEPARTURES_A_FAULT)
    routes = _routes(plant, numbers)
    probe = Probe(plant, tokens.pop())
    recorder = Recorder()
    stage = Stage(
        url=plant.url,
        stops=routes[numbers[0]].stops,
        seats=tuple(routes[numbers[0]].seats),
        travel_class=TRAVEL_CLASS,
        departures=numbers[:DEPARTURES_A_FAULT],
        recorder=recorder,
    )
    travellers = let_go(stage, tokens, seed=seed)
    episodes, sleeps = [], []
    try:
        for number, fault in enumerate(form.faults):
            first = number * DEPARTURES_A_FAULT
            stage.departures = numbers[first : first + DEPARTURES_A_FAULT]
            episode = _episode(plant, probe, stage, fault)
            if fault.server == "redis":
                sleeps.append(Sleep(start=episode.injected.began, end=time.monotonic()))
            episodes.append(episode)
    finally:
        call_back(stage, travellers)
    say("at rest" if await_rest(probe) else "it does not come to rest")
    at_rest = check(plant, "--at-rest", "--patience", "20")
    sleeps += confirms_past_redis((plant.places.logs / "web.log").read_text())
    history = recorder.history(
        routes,
        sleeps=tuple(sleeps),
        late_seconds=SETTLE_SECONDS,
        hold_ttl_seconds=float(SETTINGS["HOLD_TTL_SECONDS"]),
        hold_max_total_seconds=float(SETTINGS["HOLD_MAX_TOTAL_SECONDS"]),
    )
    REPORTS.mkdir(parents=True, exist_ok=True)
    events.write(history, REPORTS / "history.jsonl")
    audited = audit(history, probe)
    say(f"judging a history of {len(history.calls)} calls")
    return Report(
        history=history,
        episodes=episodes,
        at_rest=at_rest,
        audit=audited,
        judgement=judge(history),
        needed=form.needed,
        seconds=time.monotonic() - began,
        seed=seed,
    )


def confirms_past_redis(log: str) -> list[Sleep]:
    """From when to when P2 may have slept though no fault of ours was on: on a busy machine Redis
    may not answer for the quarter of a second that confirms wait for it. They go past it then (the
    web server's log says so), and the image learns of the sale from the outbox.
    """
    since_the_epoch = time.time() - time.monotonic()
    found: list[Sleep] = []
    for line in log.splitlines():
        if PAST_REDIS in line:
            told = datetime.strptime(f"{line[:23]}+0000", "%Y-%m-%d %H:%M:%S,%f%z")
            at = told.timestamp() - since_the_epoch
            if not found or found[-1].end < at + SETTLE_SECONDS - 1:
                found.append(Sleep(start=at - ANSWER_SECONDS, end=at + SETTLE_SECONDS))
    return found


def _episode(plant: Plant, probe: Probe, stage: Stage, fault: Fault) -> Episode:
    before = len(probe.gaps())
    time.sleep(WARM_UP_SECONDS)
    say(f"{fault} …")
    injected = inject(plant, fault, probe.is_shipping)
    recovered = probe.recover(stage, injected.ended)
    wrong = check(plant, "--patience", str(PATIENCE_SECONDS))
    gaps = len(probe.gaps()) - before
    _tell(injected, recovered.sale_seconds, recovered.trail_seconds, wrong)
    return Episode(
        injected=injected,
        recovered=recovered,
        gaps=gaps,
        expected_gaps=1 if fault.what is What.EMPTY else 0,
        wrong=wrong,
    )


def _tell(
    injected: Injected, sale: float | None, trail: float | None, wrong: Sequence[str]
) -> None:
    say(f"    {injected.proof}; booked after {sale}, documented after {trail}")
    for words in wrong:
        say(f"    WRONG: {words}")


def _tokens(plant: Plant, number: int) -> list[str]:
    file = plant.places.data / "tokens"
    plant.manage("mint_tokens", "--count", str(number), "--output", str(file))
    return file.read_text().split()


def _departures(plant: Plant, number: int) -> list[int]:
    """A small train made by staff through the API, and the departures it runs on."""
    with httpx.Client(base_url=f"{plant.url}/api/v1", timeout=30) as http:
        account = {"username": "admin", "password": "seatlock-admin"}
        access = http.post("/auth/login/", json=account).json()["access"]
        stations = [each["code"] for each in http.get("/stations/").json()["results"][:STOPS]]
        made = http.post(
            "/trains/", json=_train(stations), headers={"Authorization": f"Bearer {access}"}
        )
    assert made.status_code == 201, made.text
    with psycopg.connect(plant.environment["DATABASE_URL"]) as database:
        rows = database.execute(
            "SELECT d.id FROM trains_departure d JOIN trains_train t ON t.id = d.train_id"
            " WHERE t.number = %s AND d.service_date > current_date + 1"
            " AND d.sale_opens_at < now() ORDER BY d.service_date LIMIT %s",
            [TRAIN, number],
        ).fetchall()
    assert len(rows) == number, f"{len(rows)} departures, {number} are needed"
    return [row[0] for row in rows]


def _train(stations: Sequence[str]) -> dict[str, Any]:
    last = len(stations) - 1
    return {
        "number": TRAIN,
        "name": "Chaos Mail",
        "stops": [
            {
                "station": code,
                **({"arrival": f"{8 + at:02}:00"} if at else {}),
                **({"departure": f"{8 + at:02}:05"} if at < last else {}),
                "day": 1,
                "distance_km": str(60 * at),
            }
            for at, code in enumerate(stations)
        ],
        "coaches": [{"label": "S1", "travel_class": TRAVEL_CLASS, "seats": SEATS}],
        "runs_on": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    }


def _routes(plant: Plant, departures: Sequence[int]) -> Mapping[int, Route]:
    """Stops and seats, as the API tells them."""
    routes = {}
    with httpx.Client(base_url=f"{plant.url}/api/v1", timeout=30) as http:
        shown = http.get(f"/departures/{departures[0]}/").json()
        stops = tuple(_code(stop) for stop in shown["stops"])
        stretch = f"source={stops[0]}&destination={stops[-1]}"
        seats = http.get(f"/departures/{departures[0]}/seats/?{stretch}").json()["seats"]
        classes = {seat["seat"]: seat["travel_class"] for seat in seats}
    for departure in departures:
        routes[departure] = Route(stops=stops, seats=classes)
    return routes


def _code(stop: dict[str, Any]) -> str:
    station = stop.get("station", stop)
    return str(station["code"] if isinstance(station, dict) else station)


def rejudge(file: Path) -> int:
    """Judge a history that was saved (`python -m tests.chaos --judge FILE`)."""
    began = datetime.now()
    history: History = events.read(file)
    judged = judge(history)
    for words in (*judged.faults, *judged.undecided, *judged.given_up):
        say(words)
    say(f"{judged.calls} calls on {judged.seats} seats, {datetime.now() - began}")
    return 0 if judged.is_good else 1
