"""Work that may be late runs at a low priority, and leaves its caller at its own."""

import os
import subprocess
import sys
import threading

import pytest

from config.stand_back import NICENESS, stand_back


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_it_runs_at_a_low_priority_and_the_caller_goes_on_at_its_own() -> None:
    before = niceness()
    assert stand_back(niceness) == max(NICENESS, before)
    assert niceness() == before


MADE_READY = """
import os, celery_app
celery_app.make_ready()
os.fork()
os.write(1, b"%d of %d " % (os.nice(0), celery_app.WORKER_NICENESS))
"""


def test_a_worker_and_what_it_forks_give_way() -> None:
    """In a process of its own: once imported, `celery_app` is the current one of its thread."""
    argv = [sys.executable, "-c", MADE_READY]
    said = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert said.stdout == f"{min(os.nice(0) + 10, 19)} of 10 " * 2, said.stderr


def test_what_it_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        stand_back(lambda: 1 / 0)
