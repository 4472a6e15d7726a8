"""Work that may be late runs at a low priority, and leaves its caller at its own."""

import os
import threading

import pytest

from config.stand_back import NICENESS, stand_back


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_it_runs_at_a_low_priority_and_the_caller_goes_on_at_its_own() -> None:
    before = niceness()
    assert stand_back(niceness) == max(NICENESS, before)
    assert niceness() == before


def test_what_it_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        stand_back(lambda: 1 / 0)
