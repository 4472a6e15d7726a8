"""One at a time, among workers: so that long work keeps one of them busy and not all.

No guard rests on it. Without Redis, or when a lease ran out, several work, and whatever they do
must be safe to do twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis.exceptions import LockError, RedisError

from config.errors import StoreUnavailable
from config.stores.redis import holds_store


@contextmanager
def one_at_a_time(name: str, *, seconds: float) -> Iterator[bool]:
    """Whether this is the one that may go on; its lease ends with the block, or after `seconds`
    if its process dies.
    """
    lock = holds_store().lock(name, timeout=seconds, blocking=False)
    try:
        is_ours = bool(lock.acquire())
    except (RedisError, StoreUnavailable):
        yield True
        return
    try:
        yield is_ours
    finally:
        with suppress(LockError, RedisError, StoreUnavailable):  # it ends by itself
            if is_ours:
                lock.release()
