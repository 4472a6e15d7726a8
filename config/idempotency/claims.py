"""Which request an `Idempotency-Key` was first used for, whatever store its effect is in.

A lock's effect and answer lie in Redis, everything else's in PostgreSQL, so neither store alone
sees a key used for both. The fingerprint of the first request with a key lies here, under the
user, for 24 hours: the same key with another request is refused, wherever that one goes.

    lock      key, effect and answer live in this one store and are lost together
    others    a hint beside the key's row, which is written with the effect: without Redis they
              go on by the row alone

It is given back when nothing began (400, 404 and the like), so that a corrected request may use
the key. A crash leaves it: the same request may be sent again, another may not.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import redis
import redis.exceptions

from config.errors import IdempotencyKeyReused, SeatlockError, StoreUnavailable
from config.idempotency.services import KEPT_SECONDS
from config.stores import keys
from config.stores.redis import as_bytes, holds_store

NOTHING_BEGAN: Final = frozenset({400, 401, 403, 404, 413, 415, 429})
_AWAY: Final = (redis.exceptions.RedisError, StoreUnavailable)


def claim(*, user_id: int, key: str, fingerprint: str) -> None:
    """Let the key stand for this request. Raises `IdempotencyKeyReused` if it does for another."""
    kept = as_bytes(
        holds_store().set(
            keys.idempotency(user_id, key), fingerprint, nx=True, get=True, px=KEPT_SECONDS * 1000
        )
    )
    if kept is not None and kept.decode() != fingerprint:
        raise IdempotencyKeyReused("This key came with another request before.")


@contextmanager
def claimed(*, user_id: int, key: str, fingerprint: str) -> Iterator[None]:
    """Claim the key for what is done inside, as a hint: without Redis it is done all the same.

    Raises `IdempotencyKeyReused`.
    """
    with suppress(*_AWAY):
        claim(user_id=user_id, key=key, fingerprint=fingerprint)
    with given_back(user_id=user_id, key=key, fingerprint=fingerprint):
        yield


@contextmanager
def given_back(*, user_id: int, key: str, fingerprint: str) -> Iterator[None]:
    """Give the claim back if what is done inside is refused before anything began."""
    try:
        yield
    except Exception as error:
        if _status_of(error) in NOTHING_BEGAN:
            _give_back(user_id, key, fingerprint)
        raise


def _give_back(user_id: int, key: str, fingerprint: str) -> None:
    """Forget the claim if it is still this request's."""
    name = keys.idempotency(user_id, key)

    def delete(pipe: "redis.client.Pipeline") -> None:
        mine = as_bytes(pipe.get(name)) == fingerprint.encode()
        pipe.multi()
        if mine:
            pipe.delete(name)

    with suppress(*_AWAY):
        holds_store().transaction(delete, name)


def _status_of(error: Exception) -> int:
    """The HTTP status an error becomes; DRF's errors carry it."""
    if isinstance(error, SeatlockError):
        return int(error.problem.status)
    status = getattr(error, "status_code", 500)  # redis-py's errors have one too, of another kind
    return status if isinstance(status, int) else 500
