"""What we tell strangers to do works: the README's tour and `make tour`, on the real product."""

import os
import re
import subprocess
import sys

from config.embedded.places import CHECKOUT

TOUR_SECONDS = 120.0
HEADING = "## A tour"


def script() -> str:
    """The shell blocks of the README's tour, in order."""
    text = (CHECKOUT / "README.md").read_text()
    section = text.split(f"\n{HEADING}", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", section, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) > 5
    return "set -eu\n" + "\n".join(blocks)


def run(argv: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        argv,
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TOUR_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_readmes_tour_does_what_it_says(running: dict[str, str]) -> None:
    said = run(["sh", "-c", script()], running)
    for promised in (
        '"status": "held"',  # the lock
        "deadline_ms",  # HGETALL in redis-cli
        '"status": "confirmed"',  # the booking
        "hold.held",  # the audit trail
        "booking.confirmed",
        '"source": "HBC",\n        "destination": "CRB",\n        "count": ',  # top routes
        '"shipper_seen_at"',  # the dashboard
        "PDF of ",  # the ticket
        '"rule": "full"',  # the quote
        '"status": "done"',  # the refund
        '"position": 1',  # the waitlist
        '"status": "offered"',
        '"status": "cancelled"',
    ):
        assert promised in said, f"{promised} is not in\n{said}"


def test_make_tour_ends_well(running: dict[str, str]) -> None:
    said = run([sys.executable, "-m", "tests.tour"], running)
    assert "every store agrees" in said
    assert "(2 rows)" in said
    assert "already-boarded" in said  # the ticket at the gate
    assert '"status": "done"' in said  # the refund of the seat that was given back
    assert "is held for who waited" in said  # the waitlist's offer


def test_make_tour_fails_when_nothing_runs() -> None:
    nobody = {**os.environ, "TOUR_URL": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.tour"],
        cwd=CHECKOUT,
        env=nobody,
        capture_output=True,
        text=True,
        timeout=TOUR_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert "make run" in done.stdout
