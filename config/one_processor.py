"""A web process keeps to one processor, each of a server to another.

Its threads run one at a time, whatever Linux does: they share the interpreter's lock. Spread over
processors they hand it from one to the other, for each question to a store several times, and each
finds its data in the other's cache. Together on one they cost a tenth less, locks a fifth
(docs/BENCHMARKS.md).

    process 1   takes the name of processor 0 ── keeps to it until it dies; then the name is free
    process 2   that one is taken, takes processor 1's
    process 3   none is left (WEB_WORKERS=3 on two): stays where Linux puts it

A name is a socket of Linux's abstract kind: it lives as long as the process that has it, and no
longer, so that whoever replaces a dead process finds it.
"""

import os
import socket
from contextlib import suppress
from multiprocessing import current_process
from pathlib import Path
from typing import Final

GRANIANS_WORKER: Final = "granian-worker"

_name_taken: socket.socket | None = None


def keep_to_one() -> None:
    """Call it before threads serve. Does nothing where it cannot be, or in a process that is not
    one of Granian's.
    """
    global _name_taken  # noqa: PLW0603  # a process has one
    if current_process().name != GRANIANS_WORKER or not hasattr(os, "sched_setaffinity"):
        return
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) == 1:
        return
    server = os.getppid()
    # Not all servers begin with the same one.
    begin = server % len(processors)
    for processor in processors[begin:] + processors[:begin]:
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0seatlock-web-{server}-{processor}")
        except OSError:
            name.close()
            continue
        _name_taken = name
        # The few threads that libraries have begun; those that come inherit it.
        for thread in Path("/proc/self/task").iterdir():
            with suppress(OSError):  # it has ended; or a container that may not
                os.sched_setaffinity(int(thread.name), {processor})
        return
