"""Bring the marks of ended logins back after Redis lost its memory, or a mark was never written.

Run by Celery beat, and by any process that finds `{0}:marks` missing. After an empty restart that
is the first call that looks: the first image is not loaded before the marks are there.
"""

import logging
import threading
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import redis
from django.conf import settings

from config import clock
from config.stores import keys
from config.stores.outage import Outage
from config.stores.postgres.giving_back import give_back
from config.stores.redis import holds_store
from users import marks
from users.models import Login

logger = logging.getLogger(__name__)

BATCH: Final = 500
RESTORING_SECONDS: Final = 30
BREATHER_SECONDS: Final = 2.0

_turn = threading.Lock()
_outage = Outage(
    logger,
    lost="marks of ended logins cannot be restored",
    back="marks of ended logins were restored",
    rest_seconds=BREATHER_SECONDS,
)


def restore_ended_marks(*, force: bool = False) -> int:
    """Write the missing marks of logins ended within the last access token lifetime; how many.

    Judges what is missing by shard 0; `force` writes every mark in every shard, for when only
    some shards were lost. Safe to run twice at once. Raises `redis.RedisError`.

    While it works, `{0}:marks` holds a token of its own, so that readers ask PostgreSQL; only if
    that token is still there at the end (nobody flushed Redis meanwhile) are the marks complete.
    """
    store = holds_store()
    info: Any = store.info("server")
    complete = marks.COMPLETE + str(info.get("run_id", "")).encode()
    token = f"restoring:{uuid4().hex}".encode()
    was_complete = store.get(keys.marks(0)) == complete
    if not was_complete:
        store.set(keys.marks(0), token, ex=RESTORING_SECONDS)
    written = sum(_restore(batch, force=force) for batch in _recently_ended())
    if not was_complete and store.get(keys.marks(0)) == token:
        store.set(keys.marks(0), complete)
        logger.info("marks of ended logins were incomplete; %s restored", written)
    return written


def ensure_marks() -> None:
    """For whoever is about to rely on the marks where Redis forgot (a missing image): they are
    complete when this returns. Raises `redis.RedisError`.

    One thread of a process restores, the others wait for it and find them complete.
    """
    if marks.are_complete():
        return
    give_back()
    with _turn:
        if not marks.are_complete():
            restore_ended_marks()


def notice_lost_marks() -> None:
    """For whoever has asked PostgreSQL instead: look, and restore the marks if they are not
    complete, so that the next need not. Never raises.

    One thread of a process works at a time; after a failure it rests.
    """
    if _outage.is_resting or not _turn.acquire(blocking=False):
        return
    try:
        if not marks.are_complete():
            restore_ended_marks()
        _outage.answered()
    except redis.RedisError as down:
        _outage.failed(down)
    finally:
        _turn.release()


def _recently_ended() -> "list[list[tuple[str, datetime]]]":
    """The logins whose access tokens may still be alive, in batches."""
    since = clock.now() - timedelta(seconds=settings.ENV.access_token_seconds)
    rows = Login.objects.filter(ended_at__gt=since).order_by("ended_at")
    found = [(str(sid), at) for sid, at in rows.values_list("sid", "ended_at") if at]
    return [found[start : start + BATCH] for start in range(0, len(found), BATCH)]


def _restore(ended: "list[tuple[str, datetime]]", *, force: bool) -> int:
    there: list[Any] = holds_store().mget([keys.ended(0, sid) for sid, _ in ended])
    now = clock.now()
    missing = {
        sid: settings.ENV.access_token_seconds - int((now - ended_at).total_seconds())
        for (sid, ended_at), mark in zip(ended, there, strict=True)
        if force or mark is None
    }
    marks.put(missing)
    return len(missing)
