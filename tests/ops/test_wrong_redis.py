"""A Redis that may forget holds is refused at start, by the name of its setting."""

import os
import subprocess
import sys

import pytest
import redis

from config.embedded.fleet import free_ports
from config.embedded.places import CHECKOUT
from config.stores import keys
from tests.stores import OwnStore

NO_EVICTION = "maxmemory-policy allkeys-lru"
NO_FILE = "appendonly no"


@pytest.mark.parametrize(
    ("name", "fault"), [("web", NO_EVICTION), ("worker", NO_EVICTION), ("worker", NO_FILE)]
)
def test_it_is_refused_at_start(name: str, fault: str, own_redis: OwnStore) -> None:
    setting, value = fault.split()
    redis.Redis.from_url(own_redis.url).config_set(setting, value)

    done = subprocess.run(
        [sys.executable, "-m", "config.embedded.commands", name],
        cwd=CHECKOUT,
        env=os.environ | {"REDIS_URL": own_redis.url, "PORT": str(free_ports().ports["PORT"])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode != 0
    assert "REDIS_URL" in done.stdout + done.stderr
    assert fault in done.stdout + done.stderr


def test_a_redis_that_was_laid_out_otherwise_is_refused(own_redis: OwnStore) -> None:
    """Shard count and layout version are where holds are looked for (rule 12)."""
    redis.Redis.from_url(own_redis.url).hset(keys.LAYOUT, "shards", keys.SHARDS + 1)
    done = subprocess.run(
        [sys.executable, "-m", "config.embedded.commands", "worker"],
        cwd=CHECKOUT,
        env=os.environ | {"REDIS_URL": own_redis.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert f"shards is not {keys.SHARDS}" in done.stdout + done.stderr
