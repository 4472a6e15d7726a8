"""One child process: what to start, and starting it so that it dies with its parent.

The kernel is told to send the child its stop signal when the parent is gone (PR_SET_PDEATHSIG);
orphans of our children come to us, not to init (PR_SET_CHILD_SUBREAPER). Both are the net below
the orderly stop in `supervisor`.
"""

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from config.embedded.errors import StartFailed

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LOG_TAIL_LINES = 15
LOG_TAIL_BYTES = 16_384

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, kw_only=True)
class Account:
    """The user a process runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """A process to start. Without a log file it shares our terminal."""

    name: str
    argv: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    log: Path | None = None
    account: Account | None = None
    process_group: int = 0  # 0 is one of its own, so that Ctrl-C does not reach it directly
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 15.0


def become_subreaper() -> None:
    """From now on orphaned descendants become our children."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(by: signal.Signals) -> None:
    """Have the kernel send us `by` when the thread that started us ends."""
    _prctl(PR_SET_PDEATHSIG, by)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def spawn(spec: ProcessSpec) -> subprocess.Popen[bytes]:
    """Start the process, bound to our own life.

    Raises:
        StartFailed: the system refused to start it.

    """
    log = _open_log(spec.log) if spec.log else None
    try:
        return subprocess.Popen(  # noqa: S603 (our own argument lists, no shell)
            spec.argv,
            cwd=spec.cwd,
            env=dict(spec.environment),
            stdin=subprocess.DEVNULL if log else None,
            stdout=log,
            stderr=subprocess.STDOUT if log else None,
            process_group=spec.process_group,
            user=spec.account.uid if spec.account else None,
            group=spec.account.gid if spec.account else None,
            extra_groups=[] if spec.account else None,
            preexec_fn=_bind_to(os.getpid(), spec.stop_signal),  # noqa: PLW1509 (one thread)
        )
    except (OSError, subprocess.SubprocessError) as refused:
        raise StartFailed(f"{spec.name} could not be started: {refused}") from refused
    finally:
        if log:
            log.close()


def _bind_to(parent: int, by: signal.Signals) -> Callable[[], None]:
    def in_child() -> None:
        # After the change of user (which would clear it), before exec (which keeps it).
        die_with_parent(by)
        if os.getppid() != parent:  # the parent died before the kernel knew
            os._exit(1)

    return in_child


def _open_log(path: Path) -> IO[bytes]:
    if path.exists() and path.stat().st_size:
        path.replace(path.with_name(path.name + ".1"))
    return path.open("wb")


def log_tail(path: Path | None) -> str:
    """The last lines of a log file, indented, for a message about a process that died."""
    if path is None or not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()[-LOG_TAIL_LINES:]
    if not lines:
        return f"  ({path} is empty)"
    return "\n".join([f"  last lines of {path}:", *(f"    {line}" for line in lines)])
