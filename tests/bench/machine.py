"""What the numbers were taken on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from django.db import connection

from config import clock
from config.stores.mongo import audit_database
from config.stores.redis import holds_store

PACKAGES = ("django", "granian", "psycopg", "redis", "celery", "msgspec")


def describe_machine() -> dict[str, Any]:
    """Processor, memory, versions of what was measured; load before anything was."""
    info: Any = holds_store().info("server")
    return {
        "at": clock.now().isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "load_1_5_15": [round(each, 2) for each in os.getloadavg()],
        "kernel": platform.release(),
        "python": platform.python_version(),
        "postgresql": str(connection.pg_version),  # type: ignore[attr-defined]
        "valkey": str(info.get("valkey_version") or info["redis_version"]),
        "mongodb": str(audit_database().client.server_info()["version"]),
        **{name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
