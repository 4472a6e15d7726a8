"""Runs schemathesis against a served place, with the settings and hooks of this folder."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from config.embedded.places import CHECKOUT
from tests.front.place import PASSWORD, STOPS, Person, Place

SEED: Final = os.environ.get("SEATLOCK_FRONT_SEED", "20261121")
LIKELY: Final = 0.8
SCENARIOS_AN_EXAMPLE: Final = 8
SCHEMATHESIS: Final = str(Path(sys.executable).with_name("schemathesis"))

# Most made-up requests name what is there, and all that begin a chain of links, so that they reach
# further than a 404.
SETTINGS: Final = """
[dictionaries]
boarding = {{ values = {boarding} }}
alighting = {{ values = {alighting} }}
departures = {{ values = {departures} }}
days = {{ values = {days} }}
trains = {{ values = ["{train}"] }}
seats = {{ values = ["S1-1", "S1-2", "C1-7"] }}
classes = {{ values = ["SL", "CC"] }}
counts = {{ values = [1, 2] }}
people = {{ values = {people} }}
passwords = {{ values = ["{password}"] }}
numbers = {{ values = {numbers} }}

[parameters]
"query.source" = {{ dictionary = "boarding", probability = {likely} }}
"query.destination" = {{ dictionary = "alighting", probability = {likely} }}
"query.date" = {{ dictionary = "days", probability = {likely} }}
"query.travel_class" = {{ dictionary = "classes", probability = {likely} }}
"query.departure" = {{ dictionary = "departures", probability = {likely} }}
"path.departure" = {{ dictionary = "departures", probability = {likely} }}
"path.departure_id" = {{ dictionary = "departures", probability = {likely} }}
"path.number" = {{ dictionary = "trains", probability = {likely} }}
"body.departure" = {{ dictionary = "departures", probability = {likely} }}
"body.source" = {{ dictionary = "boarding", probability = {likely} }}
"body.destination" = {{ dictionary = "alighting", probability = {likely} }}
"body.seats[*]" = {{ dictionary = "seats", probability = {likely} }}
"body.travel_class" = {{ dictionary = "classes", probability = {likely} }}
"body.count" = {{ dictionary = "counts", probability = {likely} }}
"body.username" = {{ dictionary = "people", probability = {likely} }}
"body.password" = {{ dictionary = "passwords", probability = {likely} }}
"body.password2" = {{ dictionary = "passwords", probability = {likely} }}
"body.number" = {{ dictionary = "numbers", probability = {likely} }}
"body.train" = {{ dictionary = "trains", probability = {likely} }}

[generation]
# That no text may hold NUL is said once, for all of them, and tested in tests/http/test_body.py.
allow-x00 = false
# The connection to the database of examples is no use to a run that is seeded.
database = "none"

[phases.stateful]
max-steps = 8

[phases.stateful.generation]
mode = "positive"
max-examples = {scenarios}

[checks.positive_data_acceptance]
# Beside what is allowed anyway: what depends on state (410, 422). A 400 is judged by the check of
# our own, `refuses_by_meaning_only`, which asks for the field and knows which have a meaning that
# no schema can say.
expected-statuses = ["2xx", "3xx", "400", "401", "403", "404", "409", "410", "422", "429", "5xx"]
"""


def run(
    place: Place,
    person: Person,
    folder: Path,
    *,
    examples: int,
    phases: str = "examples,coverage,fuzzing,stateful",
    only: Sequence[str] = (),
    leave_out: Sequence[str] = (),
) -> "subprocess.CompletedProcess[str]":
    """All checks, as this person, over the operations `only` names, or all but those of the tags
    to leave out.

    `examples`: made-up requests an operation and phase. The report is on its standard output.
    """
    settings = folder / "schemathesis.toml"
    settings.write_text(
        SETTINGS.format(
            likely=LIKELY if phases != "stateful" else 1,
            scenarios=examples * SCENARIOS_AN_EXAMPLE,
            boarding=list(STOPS[:2]),
            alighting=list(STOPS[2:]),
            departures=list(place.departures),
            days=[day.isoformat() for day in place.days],
            train=place.train,
            people=[f"guest-{number}" for number in range(50)],
            password=PASSWORD,
            numbers=[f"9{number:04}" for number in range(50)],
        )
    )
    return subprocess.run(
        [
            *(SCHEMATHESIS, "--config-file", str(settings), "run"),
            f"{place.url}/api/schema/?format=json",
            *("--checks", "all", "--phases", phases),
            *("--seed", SEED, "--max-examples", str(examples), "--continue-on-failure"),
            *("--header", f"Authorization: Bearer {person.access}"),
            *("--no-color", "--no-shrink"),
            *(word for name in only for word in ("--include-operation-id", name)),
            *(word for tag in leave_out for word in ("--exclude-tag", tag)),
        ],
        cwd=folder,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.front.hooks", "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
