"""The Postman collection is made from the OpenAPI document, and its flow runs."""

import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

from config.embedded.places import CHECKOUT

COLLECTION = CHECKOUT / "docs/postman_collection.json"
FLOW = "The whole flow"
NEWMAN_SECONDS = 120.0


@pytest.fixture(scope="module")
def collection() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(COLLECTION.read_text())
    return found


def newman() -> str | None:
    """Where `npm install newman` in the checkout puts it, else the machine's own."""
    here = CHECKOUT / "node_modules/.bin/newman"
    return str(here) if here.exists() else shutil.which("newman")


def test_the_collection_is_what_the_document_says() -> None:
    done = subprocess.run(
        [sys.executable, "docs/postman.py", "--check"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_request_of_the_flow_has_tests(collection: dict[str, Any]) -> None:
    flow = next(folder for folder in collection["item"] if folder["name"] == FLOW)
    assert len(flow["item"]) > 30
    for item in flow["item"]:
        lines = [line for event in item["event"] for line in event["script"]["exec"]]
        assert any("pm.response.to.have.status(" in line for line in lines), item["name"]


@pytest.mark.skipif(newman() is None, reason="newman is not installed: npm install newman@6")
def test_newman_runs_the_whole_flow(running: dict[str, str]) -> None:
    done = subprocess.run(
        [
            str(newman()),
            *("run", str(COLLECTION), "--folder", FLOW, "--color", "off"),
            *("--env-var", f"baseUrl={running['TOUR_URL']}"),
        ],
        capture_output=True,
        text=True,
        timeout=NEWMAN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
