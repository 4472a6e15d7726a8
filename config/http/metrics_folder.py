"""The folder in which the processes of one web server add up their counters.

Separate from `metrics`, and free of Django, because prometheus_client looks for the variable once,
when it is imported.
"""

import os
import shutil
from pathlib import Path
from typing import Final

FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"


def share_between_processes(parent: Path) -> None:
    """Name the folder of this server's processes: they are children of one process.

    Folders of servers that are gone are deleted. An operator's own choice of folder stands.
    """
    if FOLDER_VARIABLE in os.environ:
        return
    folder = parent / str(os.getppid())
    folder.mkdir(parents=True, exist_ok=True)
    os.environ[FOLDER_VARIABLE] = str(folder)
    for other in parent.iterdir():
        if other.name.isdigit() and not Path("/proc", other.name).exists():
            shutil.rmtree(other, ignore_errors=True)
