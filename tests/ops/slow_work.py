"""The worker of the product with one task more, for tests of the worker itself:
`celery -A tests.ops.slow_work worker`.
"""

import os
import time
from pathlib import Path

from kombu.transport import TRANSPORT_ALIASES

from celery_app import app

if transport := os.environ.get("TEST_TRANSPORT"):
    TRANSPORT_ALIASES["redis"] = transport


@app.task(name="tests.write_down")
def write_down(word: str, file: str, seconds: float) -> None:
    """Work for some time, then leave a line in the file."""
    time.sleep(seconds)
    with Path(file).open("a") as lines:
        lines.write(f"{word}\n")
