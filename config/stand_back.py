"""Work that may be late gives way to everybody who waits for an answer.

Linux keeps a priority for each thread, and lets anybody lower it, but only root raise it again: so
the work gets a thread of its own, which ends with it. On an idle machine it is as quick as ever.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from django.db import connections

T = TypeVar("T")
NICENESS: Final = 19


def stand_back(work: Callable[[], T]) -> T:
    """Do the work in a thread of low priority; its result, or what it raises.

    It has database connections of its own, so it sees nothing a caller has not committed.
    """

    def run() -> T:
        with suppress(OSError):  # a system that has no priority for threads
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()
