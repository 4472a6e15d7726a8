import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.fleet import free_ports
from config.embedded.places import delete_data
from tests.ops.running import Keeper, live_urls, stand_in


@pytest.fixture(scope="session")
def running() -> Iterator[dict[str, str]]:
    """All of `make run` on ports and data of its own: the environment that leads to it."""
    ports = dict(free_ports().ports)
    with tempfile.TemporaryDirectory(prefix="seatlock-tour-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's account passes through
        data = Path(folder) / "data"
        keeper: Keeper = stand_in(data, ports=ports, real=True)
        try:
            keeper.wait_for("is up after")
            url = f"http://127.0.0.1:{ports['PORT']}"
            yield {
                **os.environ,
                **live_urls(data),
                "PORT": str(ports["PORT"]),
                "TOUR_URL": url,
                "API": f"{url}/api/v1",
                "PYTHON": sys.executable,
            }
        finally:
            keeper.process.terminate()
            keeper.end()
            delete_data(data)
