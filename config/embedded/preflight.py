"""Is this machine fit? Asked before anything is started, so that a no costs nothing.

Each finding names what is missing and what to do about it.
"""

import os
import platform
import re
import socket
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from config.embedded.errors import MachineUnfit

CPU_INFO = Path("/proc/cpuinfo")

# Debian's package for each library the servers link; 13 and later renamed some (t64).
DEBIAN_PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "liblzma.so.5": "liblzma5",
    "libcrypto.so.3": "libssl3",
    "libssl.so.3": "libssl3",
    "libgcc_s.so.1": "libgcc-s1",
    "libldap-2.5.so.0": "libldap-2.5-0",
    "liblber-2.5.so.0": "libldap-2.5-0",
    "libz.so.1": "zlib1g",
    "libreadline.so.8": "libreadline8",
    "libstdc++.so.6": "libstdc++6",
}


def check_machine(programs: Iterable[Path], *, needs_avx: bool) -> None:
    """CPU and shared libraries.

    Raises:
        MachineUnfit: with every finding in one message.

    """
    findings = []
    if platform.system() != "Linux" or platform.machine() not in {"x86_64", "AMD64"}:
        findings.append(
            "the embedded servers are built for Linux x86-64, this is "
            f"{platform.system()} {platform.machine()}"
        )
    elif needs_avx:
        findings += cpu_findings(CPU_INFO.read_text())
    for program in programs:
        findings += library_findings(program)
    if findings:
        raise MachineUnfit("this machine cannot run the embedded servers:\n  " + _lines(findings))


def check_ports(ports: Mapping[str, int]) -> None:
    """Ports by setting name.

    Raises:
        MachineUnfit: one or more are in use; each is named with its setting and its user.

    """
    findings = [
        f"port {port} is taken{_taken_by(port)}: free it, or set {setting} to another port"
        for setting, port in ports.items()
        if not is_free(port)
    ]
    if findings:
        raise MachineUnfit("nothing was started:\n  " + _lines(findings))


def cpu_findings(cpu_info: str) -> list[str]:
    """What the CPU lacks, from the text of /proc/cpuinfo."""
    flags = re.search(r"^flags\s*:(.*)$", cpu_info, re.MULTILINE)
    if flags is None or "avx" in flags.group(1).split():
        return []
    advice = "use a machine (or a virtual CPU type) with it, or set MONGO_URL to your own server"
    return [f"the CPU has no AVX, which mongod 6 needs: {advice}"]


def library_findings(program: Path) -> list[str]:
    """Shared libraries the loader does not find, asked the way `ldd` asks."""
    try:
        done = subprocess.run(  # noqa: S603 (a program of ours, which the loader does not run)
            [program],
            env={"LD_TRACE_LOADED_OBJECTS": "1", "LD_BIND_NOW": "1", "PATH": os.defpath},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    except OSError as refused:
        return [f"{program.name} cannot be executed ({refused.strerror}): it needs glibc"]
    return missing_libraries(program.name, done.stdout + done.stderr)


def missing_libraries(program: str, loader_output: str) -> list[str]:
    """Findings from what the loader printed for `program`."""
    absent = re.findall(r"^\s*(\S+) => not found", loader_output, re.MULTILINE)
    too_old = re.findall(r"version [`'](\S+)' not found", loader_output)
    return [
        *(f"{program} needs {library} ({_advice(library)})" for library in dict.fromkeys(absent)),
        *(f"{program} needs {version}, newer than here" for version in dict.fromkeys(too_old)),
    ]


def _advice(library: str) -> str:
    package = DEBIAN_PACKAGES.get(library)
    return f"on Debian or Ubuntu: apt-get install {package}" if package else "a shared library"


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # As the servers do: an old connection in TIME_WAIT does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _taken_by(port: int) -> str:
    """Who listens there, as far as we may see."""
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN
            if listens and connection.laddr[1:2] == (port,) and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""


def _lines(findings: list[str]) -> str:
    return "\n  ".join(dict.fromkeys(findings))
