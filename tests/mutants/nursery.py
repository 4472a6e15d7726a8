"""Runs pytest again and again, each time in a fork of this process, and says how it ended.

Started beside stores of its own (`config.embedded with`), it has imported the heavy libraries once
and nothing of the project; each fork goes to a copy of the tree and imports that. So a run of some
tests costs a second where a new process would cost three.

    coordinator ── job ──> nursery ── fork ──> pytest in the copy
                <─ ended ─         <─ first failure ─

It knows nothing of mutants, and imports nothing of ours: it is run by its path.
"""

import ctypes
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Listener
from pathlib import Path
from typing import Any

import psutil
import pytest

PR_SET_CHILD_SUBREAPER = 36
POLL_SECONDS = 0.02
NO_GUARD = "there is no guard"  # what tests say that look for a line of code to take it away
HEAVY = (
    "_pytest.python", "_pytest.fixtures", "_pytest.assertion.rewrite", "_pytest.mark",
    "_pytest.monkeypatch", "_pytest.terminal", "_pytest.junitxml", "_pytest.pathlib",
    "pytest_django.plugin", "pytest_timeout", "pytest_subtests", "schemathesis.pytest.plugin",
    "hypothesis.stateful", "hypothesis.strategies", "hypothesis.internal.conjecture.engine",
    "numpy", "msgspec", "redis", "redis.asyncio", "psycopg", "psycopg_pool", "psycopg.types.json",
    "pymongo", "pymongo.synchronous.mongo_client", "bson", "jwt", "cryptography", "celery",
    "celery.app.base", "celery.app.task", "kombu", "httpx", "pydantic", "pydantic_settings",
    "django", "django.conf", "django.db.models", "django.test", "django.test.client",
    "django.test.utils", "django.core.management", "django.template", "django.utils.timezone",
    "django.contrib.postgres.fields", "django.contrib.postgres.constraints", "django.forms",
    "django.core.handlers.wsgi", "django.urls", "prometheus_client", "jsonschema", "yaml",
    "rest_framework", "inflection", "uritemplate", "psutil", "email.mime.text", "asyncio",
    "multiprocessing", "unittest.mock", "xml.etree.ElementTree", "sqlite3", "decimal", "zoneinfo",
)  # fmt: skip


class FirstFailure:
    """A pytest plugin: remembers the first failure, how long each test took, and where it is."""

    def __init__(self, coverage: Any = None) -> None:
        self.coverage = coverage
        self.failure: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if self.coverage is not None:
            self.coverage.switch_context(nodeid)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self) -> Iterator[None]:
        """A twin that takes a guard away by its text finds it changed: that says nothing."""
        outcome: Any = yield
        report = outcome.get_result()
        if report.failed and NO_GUARD in str(report.longrepr):
            report.outcome, report.longrepr = "skipped", ("", 0, "its guard is not there")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: "pytest.TestReport | pytest.CollectReport") -> None:
        if not report.failed:
            return
        self.failed.append(report.nodeid)
        if not self.failure:
            crash = getattr(report.longrepr, "reprcrash", None)
            why = crash.message if crash else str(report.longrepr)[-400:]
            when = getattr(report, "when", "collect") or "collect"
            self.failure = {"test": report.nodeid, "when": when, "why": why.strip()[:400]}


def serve(address: str) -> None:
    """Take jobs from one coordinator until it hangs up."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for name in HEAVY:
        with suppress(Exception):
            importlib.import_module(name)
    with Listener(address, "AF_UNIX") as listener, listener.accept() as coordinator:
        coordinator.send("ready")
        while True:
            try:
                job = coordinator.recv()
            except EOFError:
                return
            coordinator.send(run(job))


def run(job: dict[str, Any]) -> dict[str, Any]:
    """One pytest run. A job: `tree`, `arguments`, `seconds` allowed, `log`, `compile` (keep
    what is compiled), `cover` (a file to write the map to, or None).
    """
    started = time.monotonic()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _in_child(job, writer)
    os.close(writer)
    ended_in_time = _await(child, started + float(job["seconds"]))
    _end_descendants()
    with suppress(ChildProcessError):
        os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    answer: dict[str, Any] = json.loads(said) if said else {"status": -1, "failure": {}}
    return {**answer, "in_time": ended_in_time, "seconds": time.monotonic() - started}


def _in_child(job: dict[str, Any], writer: int) -> None:
    """Never returns."""
    os.setsid()
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    answer: dict[str, Any] = {"status": -1, "failure": {}}
    try:
        os.chdir(job["tree"])
        sys.path[0] = str(job["tree"])
        os.environ["PYTHONPATH"] = str(job["tree"])
        os.environ["PGOPTIONS"] = "-c synchronous_commit=off"
        sys.dont_write_bytecode = not job["compile"]
        answer = _pytest(job)
    except BaseException as wrong:  # noqa: BLE001  # whatever it is, it ended the run
        answer["failure"] = {"test": "", "when": "start", "why": repr(wrong)[:400]}
    finally:
        os.write(writer, json.dumps(answer).encode())
        os._exit(0)


def _pytest(job: dict[str, Any]) -> dict[str, Any]:
    coverage = None
    if job.get("cover"):
        from coverage import Coverage  # it is needed once

        coverage = Coverage(data_file=None, source=[job["tree"]], omit=["*/tests/*"])
        coverage.start()
    plugin = FirstFailure(coverage)
    status = pytest.main(job["arguments"], plugins=[plugin])
    if coverage is not None:
        coverage.stop()
        _write_map(coverage, plugin, job)
    return {"status": int(status), "failure": plugin.failure}


def _write_map(coverage: Any, plugin: FirstFailure, job: dict[str, Any]) -> None:
    data = coverage.get_data()
    tree = Path(job["tree"])
    lines = {
        str(Path(name).relative_to(tree)): {
            str(line): [context for context in contexts if context]
            for line, contexts in data.contexts_by_lineno(name).items()
        }
        for name in data.measured_files()
    }
    found = {"lines": lines, "seconds": plugin.seconds, "failed": plugin.failed}
    Path(job["cover"]).write_text(json.dumps(found))


def _await(child: int, deadline: float) -> bool:
    while time.monotonic() < deadline:
        done, _ = os.waitpid(child, os.WNOHANG)
        if done:
            return True
        time.sleep(POLL_SECONDS)
    os.killpg(child, signal.SIGKILL)
    return False


def _end_descendants() -> None:
    """Servers a test left behind; they came to us, for we are a subreaper."""
    left = psutil.Process().children(recursive=True)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=10)


if __name__ == "__main__":
    sys.path.pop(0)  # our own folder
    sys.path.insert(0, "")
    serve(sys.argv[1])
