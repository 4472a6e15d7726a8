"""Is the generator the limit? The same work, given to generators that others wrote in C.

wrk asks for the floor, redis-benchmark runs the script of lock; where a package is not installed
its figure is left out. Debian has them as `wrk` and `redis-tools`.
"""

import re
import shutil
import subprocess

from django.conf import settings

from config.stores.redis import holds_store
from config.stores.urls import redis_parts, tools_address
from tests.bench.stores import script_call
from tests.bench.wire import FLOOR_PATH
from tests.bench.world import World

# Seats of a departure that is not there, in the same shard as one that is: redis-benchmark knows
# no other way to take another seat with each call than to draw it, and this many make it unlikely
# that one is drawn twice.
ELSEWHERE = 64 * 10**6
RANDOM_SEATS = 1_000_000
DRAWN = "__rand_int__"


def wrk_floor(url: str, connections: int, seconds: float) -> float | None:
    """Floor calls a second as wrk makes them."""
    program = shutil.which("wrk")
    if program is None:
        return None
    length = f"-d{max(1, round(seconds))}s"
    said = _said([program, "-t1", f"-c{connections}", length, url + FLOOR_PATH])
    return _rate(re.search(r"Requests/sec:\s+([\d.]+)", said), said)


def redis_benchmark_lock(world: World, connections: int, calls: int) -> float | None:
    """One-seat locks a second as redis-benchmark makes them."""
    program = shutil.which("redis-benchmark")
    if program is None:
        return None
    url = settings.ENV.redis_url
    password = redis_parts(url).get("password")
    words = _drawn_lock(world)
    said = _said(
        [
            program,
            *tools_address(url),
            *(("-a", password) if password else ()),
            *("-c", str(connections), "-n", str(calls), "-r", str(RANDOM_SEATS), "--csv"),
            *words,
        ]
    )
    return _rate(re.search(r'^"EVALSHA.*?","([\d.]+)"', said, re.MULTILINE | re.DOTALL), said)


def _drawn_lock(world: World) -> list[str]:
    """The command of a lock whose hold, traveller and seat are drawn for each call."""
    call = script_call(world.take(1)[0], world.stretch(0, 1), world.seats[0])
    here, there = str(call.departure), str(call.departure + ELSEWHERE)
    key_names = [re.sub(rf":{here}$", f":{there}", name) for name in call.keys(DRAWN)]
    image = next(name for name in key_names if ":image:" in name)
    holds_store().hset(image, mapping={"loaded": 1, "revision": call.revision, "words": 1})
    arguments = call.arguments(hold=DRAWN, user=DRAWN, seat=f"{DRAWN}=S1-{DRAWN}")
    return ["EVALSHA", call.sha, str(len(key_names)), *key_names, *arguments]


def _said(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


def _rate(found: "re.Match[str] | None", said: str) -> float:
    assert found, said
    return float(found[1])
