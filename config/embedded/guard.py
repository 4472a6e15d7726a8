"""Two processes, so that no single death leaves anything behind.

    front  (this terminal's process) ----pipe----> guard (the supervisor) ----> stores, web, ...
      |  passes Ctrl-C, SIGTERM, SIGHUP on            |  parent and adopter of all the others
      '- SIGKILL: the pipe ends, the guard            '- SIGKILL: the kernel sends each child its
         stops everything in order                       stop signal, orphans come to the front,
                                                         which waits, then ends what is left

Relies on Linux: PR_SET_CHILD_SUBREAPER and PR_SET_PDEATHSIG (see `processes`).
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

import psutil

from config.embedded.errors import EmbeddedError, StopRequested
from config.embedded.processes import become_subreaper
from config.embedded.supervisor import Supervisor

ORPHANS_AFTER_SECONDS = 1.0
ORDERLY_SECONDS = 8.0
LETTERS = {signal.SIGINT: b"i", signal.SIGTERM: b"t", signal.SIGHUP: b"t"}

Job = Callable[[Supervisor], int]


def run_guarded(job: Job) -> int:
    """Run `job` in a guard process and give its exit status.

    Whatever the job started is gone when this returns, and also when this process is killed.
    """
    become_subreaper()
    read_fd, write_fd = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    guard_pid = os.fork()
    if guard_pid == 0:
        os.close(write_fd)
        os._exit(_guard(read_fd, job))
    os.close(read_fd)
    os.set_blocking(write_fd, False)
    for by, letter in LETTERS.items():
        signal.signal(by, _passing_on(write_fd, letter))
    _, wait_status = os.waitpid(guard_pid, 0)
    status = os.waitstatus_to_exitcode(wait_status)
    if status < 0:
        say(f"the guard process was ended by {signal.Signals(-status).name}; stopping the rest")
        _end_descendants()
        return 128 - status
    return status


def say(text: str) -> None:
    """Tell the person at the terminal. Standard output belongs to the commands we run."""
    with suppress(OSError):
        sys.stderr.write(f"seatlock: {text}\n")
        sys.stderr.flush()


def _passing_on(write_fd: int, letter: bytes) -> Callable[..., None]:
    def handler(*_: object) -> None:
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(write_fd, letter)

    return handler


def _guard(stop_fd: int, job: Job) -> int:
    """Body of the guard process: never raises, never returns with a child alive."""
    os.setpgid(0, 0)  # Ctrl-C goes to the front, which asks for an orderly stop
    status = 1
    try:
        become_subreaper()
        supervisor = Supervisor(stop_fd=stop_fd)
        try:
            status = job(supervisor)
        except StopRequested:
            status = 0
        except EmbeddedError as failed:
            say(str(failed))
        finally:
            supervisor.shut_down()
    except Exception:  # noqa: BLE001 (the last frame of this process)
        traceback.print_exc()
        status = 1
    with suppress(OSError):
        sys.stdout.flush()
    return status


def _end_descendants() -> None:
    """The guard is dead. The kernel has told its children to stop, not their children: tell who
    is left after a moment, and make an end of those that do not listen.
    """
    start = time.monotonic()
    told: set[int] = set()
    while left := psutil.Process().children(recursive=True):
        waited_seconds = time.monotonic() - start
        for process in left:
            with suppress(psutil.NoSuchProcess):
                if waited_seconds > ORDERLY_SECONDS:
                    process.kill()
                elif waited_seconds > ORPHANS_AFTER_SECONDS and process.pid not in told:
                    told.add(process.pid)
                    process.terminate()
        _reap_all()
        time.sleep(0.1)


def _reap_all() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            continue
