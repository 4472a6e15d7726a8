"""What must be true of the holds' Redis before anything is sold through it.

Called when a web process or a worker starts. A store that is away is no reason to refuse the
start (it comes back); a store that is wrongly set up is.
"""

import logging

import redis.exceptions
from django.conf import settings

from config.environment import WrongSettingError
from config.stores import keys
from config.stores.redis import as_bytes, holds_store

logger = logging.getLogger(__name__)


def check_holds_store() -> None:
    """Stop the process, naming REDIS_URL, if holds could be evicted, lost or misread there."""
    try:
        store = holds_store()
        memory, persistence = store.info("memory"), store.info("persistence")
        version = store.info("server").get("redis_version", "0")
        layout = {"shards": str(keys.SHARDS), "version": str(keys.LAYOUT_VERSION)}
        for name, value in layout.items():
            store.hsetnx(keys.LAYOUT, name, value)
        found = {name: as_bytes(store.hget(keys.LAYOUT, name)) for name in layout}
    except redis.exceptions.OutOfMemoryError:
        found = {}
        layout = {}
    except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError) as away:
        logger.warning("REDIS_URL cannot be reached yet, its settings are unchecked: %s", away)
        return
    wrong = []
    if memory["maxmemory_policy"] != "noeviction":
        wrong.append(f"may evict keys (maxmemory-policy {memory['maxmemory_policy']})")
    if not persistence["aof_enabled"] and settings.ENV.redis_needs_aof == "on":
        wrong.append("keeps no append-only file (appendonly no)")
    if int(str(version).split(".", maxsplit=1)[0]) < 7:
        wrong.append(f"is version {version}, 7 or newer is needed")
    wrong += [
        f"was laid out for another Seatlock ({name} is not {value})"
        for name, value in layout.items()
        if (found[name] or b"").decode() != value
    ]
    if wrong:
        raise WrongSettingError("Seatlock cannot start: REDIS_URL: the server " + "; ".join(wrong))
