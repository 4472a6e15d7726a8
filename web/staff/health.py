"""Is each store there, and does any queue grow?"""

from functools import cache
from typing import Any, Final

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from redis.backoff import NoBackoff
from redis.retry import Retry

from analytics.operations.dashboard import Dashboard, dashboard
from web.staff.door import board
from web.staff.rights import Right
from web.staff.showing import or_none, show_board, zone
from web.staff.tables import Column, Table
from web.visitor import Visitor

QUEUE: Final = "celery"
ANSWER_SECONDS: Final = 1.0


@board(Right.SEE_FIGURES)
def health(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Stores with their latency; queues with their length."""
    del visitor
    now = dashboard()
    return show_board(
        request,
        "web/staff/report.html",
        at="health",
        tables=[_stores(now), _queues(now)],
        title=_("Health"),
        again_seconds=5,
    )


def _stores(now: Dashboard) -> Table:
    return Table(
        key="stores",
        title=_("Stores"),
        columns=[Column(_("Store")), Column(_("State")), Column(_("Answers in ms"), "number")],
        rows=[
            (store.store, _("up") if store.is_up else _("away"), store.latency_ms)
            for store in now.stores
        ],
    )


def _queues(now: Dashboard) -> Table:
    streams, sink = now.streams, now.sink
    rows: list[tuple[str, Any]] = [
        (_("Tasks that wait for a worker"), or_none(_tasks)),
        (_("Facts in PostgreSQL, not shipped yet"), now.outbox_pending),
        (_("Facts of holds in Redis, not shipped yet"), streams and streams.hold_facts),
        (_("Request log in Redis, not shipped yet"), streams and streams.requests),
        (_("Log entries that were dropped"), streams and streams.requests_dropped),
        (_("Members that no script can read"), streams and streams.odd_members),
        (_("Dead letters"), sink and sink.dead_letters),
        (_("Losses of Redis's memory"), sink and sink.gaps),
        (_("The shipper was last seen"), sink and sink.shipper_seen_at),
    ]
    return Table(
        key="queues",
        title=_("Queues"),
        lead=_("A dash: the store that knows is away."),
        columns=[Column(_("Queue")), Column(_("Now"), "number")],
        rows=rows,
        zone=zone(),
    )


def _tasks() -> int:
    """Raises `redis.RedisError`."""
    length: Any = _broker().llen(QUEUE)
    return int(length)


@cache
def _broker() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.ENV.broker_url,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
