"""Deliver what is due: at least once, with backoff, nobody waiting for a slow receiver.

    claim                          send                         record
    next_at = when this try        one POST, by a thread        delivered, or the next try;
    counts as lost; COMMIT         without a transaction        a row in the log; COMMIT

A process killed between send and record leaves the claim: when it counts as lost the message is
sent again, with the same `webhook-id`, by which receivers know it. So is one that was answered too
late. Two workers never try one message at the same time (SKIP LOCKED, then the claim).

An endpoint that fails is left alone for a while and then asked with one message; the others wait
with it, so that a dead receiver costs one try at a time. One that answers 410, or to which nothing
got through for WEBHOOK_DISABLE_AFTER_HOURS, is disabled.
"""

import logging
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from config import clock
from config.outbox.facts import append
from config.stores import keys
from config.stores.leases import one_at_a_time
from reservations.webhooks.facts import endpoint_fact
from reservations.webhooks.models import Attempt, Endpoint, Message
from reservations.webhooks.post import Outcome, post
from reservations.webhooks.signing import headers_of

logger = logging.getLogger(__name__)

# After the first try, the second and so on; the specification's own example. Some tries come up to
# a tenth later, so that what failed together does not come back together.
WAITS: Final[tuple[timedelta, ...]] = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER: Final = 0.1
LEASE_SECONDS: Final = 90.0
ROUNDS_SECONDS: Final = 20.0
AT_ONCE: Final = 16
AT_ONCE_PER_ENDPOINT: Final = 4
PAUSE_MAX: Final = timedelta(minutes=5)
CLAIM_SPARE: Final = timedelta(seconds=30)


@dataclass(frozen=True)
class _Try:
    """What a thread needs; it has no connection to the database."""

    message: Message
    url: str
    headers: dict[str, str]
    body: bytes


def deliver_due(rounds: int = 20) -> int:
    """Try what is due; how many tries were made. No more rounds are begun than fit the lease."""
    tried, began = 0, time.monotonic()
    with one_at_a_time(keys.WEBHOOKS_LEASE, seconds=LEASE_SECONDS) as is_mine:
        while is_mine and rounds and time.monotonic() - began < ROUNDS_SECONDS:
            tries = _claim()
            if not tries:
                break
            tried += len(tries)
            rounds -= 1
            _send(tries)
    return tried


def _claim() -> list[_Try]:
    """Up to AT_ONCE messages, few of one endpoint, one of an endpoint that fails."""
    now = clock.now()
    lost_at = now + timedelta(seconds=settings.ENV.webhook_timeout_seconds) + CLAIM_SPARE
    with transaction.atomic():
        waiting = Message.objects.filter(
            Q(endpoint__paused_until=None) | Q(endpoint__paused_until__lte=now),
            delivered_at=None,
            given_up_at=None,
            next_at__lte=now,
            endpoint__disabled_at=None,
        )
        place = Window(RowNumber(), partition_by=F("endpoint"), order_by=[F("next_at"), F("pk")])
        first = waiting.annotate(place=place).filter(place__lte=AT_ONCE_PER_ENDPOINT)
        chosen = [
            pk
            for pk, number, failing in first.order_by("next_at").values_list(
                "pk", "place", "endpoint__failing_since"
            )
            if failing is None or number == 1
        ]
        # Judged again under the lock: another worker may have claimed it meanwhile.
        messages = list(
            Message.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("endpoint")
            .filter(pk__in=chosen[:AT_ONCE], next_at__lte=now, delivered_at=None, given_up_at=None)
        )
        Message.objects.filter(pk__in=[each.pk for each in messages]).update(
            next_at=lost_at, attempts=F("attempts") + 1
        )
    return [_prepare(each) for each in messages]


def _prepare(message: Message) -> _Try:
    endpoint, now = message.endpoint, clock.now()
    both = [endpoint.secret]
    if endpoint.old_secret and endpoint.old_secret_until and endpoint.old_secret_until > now:
        both.append(endpoint.old_secret)
    body = message.payload.encode()
    headers = headers_of(
        name=message.name, timestamp=int(now.timestamp()), body=body, signing_secrets=both
    )
    message.attempts += 1
    return _Try(message, endpoint.url, headers, body)


def _send(tries: Sequence[_Try]) -> None:
    """Each in a thread of its own; what is answered first is recorded first."""
    env = settings.ENV
    with ThreadPoolExecutor(max_workers=len(tries), thread_name_prefix="webhook") as pool:
        running = {
            pool.submit(
                post,
                each.url,
                headers=each.headers,
                body=each.body,
                timeout_seconds=env.webhook_timeout_seconds,
                may_be_private=env.webhook_private_targets == "on",
            ): each.message
            for each in tries
        }
        for done in as_completed(running):
            record(running[done], done.result())


def record(message: Message, outcome: Outcome) -> None:
    """Write down what became of a try, and what follows from it."""
    now = clock.now()
    with transaction.atomic():
        endpoint = Endpoint.objects.select_for_update().filter(pk=message.endpoint_id).first()
        if endpoint is None:  # deleted meanwhile, and its messages with it
            return
        Attempt.objects.create(
            message=message,
            at=now,
            duration_ms=outcome.duration_ms,
            status=outcome.status,
            error=outcome.error,
        )
        if outcome.is_delivered:
            Message.objects.filter(pk=message.pk).update(delivered_at=now)
            _say_well(endpoint)
            return
        _put_off(message, outcome)
        _say_failing(endpoint, outcome)


def _put_off(message: Message, outcome: Outcome) -> None:
    """The next try, later each time; after the last one it is given up, and staff may replay it."""
    now = clock.now()
    if message.attempts > len(WAITS):
        Message.objects.filter(pk=message.pk, delivered_at=None).update(given_up_at=now)
        logger.warning("webhook %s was given up: %s", message, outcome.status or outcome.error)
        return
    wait = WAITS[message.attempts - 1] * (1 + random.uniform(0, JITTER))  # noqa: S311  # no secret
    wait = max(wait, timedelta(seconds=outcome.retry_after_seconds))
    Message.objects.filter(pk=message.pk).update(next_at=now + wait)


def _say_well(endpoint: Endpoint) -> None:
    if endpoint.failing_since is None and endpoint.paused_until is None:
        return
    endpoint.failing_since, endpoint.paused_until, endpoint.failures = None, None, 0
    endpoint.save(update_fields=["failing_since", "paused_until", "failures"])


def _say_failing(endpoint: Endpoint, outcome: Outcome) -> None:
    """Leave it alone for a while, or for good."""
    now = clock.now()
    endpoint.failing_since = endpoint.failing_since or now
    endpoint.failures += 1
    pause = min(timedelta(seconds=2 ** min(endpoint.failures, 16)), PAUSE_MAX)
    endpoint.paused_until = now + max(pause, timedelta(seconds=outcome.retry_after_seconds))
    endpoint.save(update_fields=["failing_since", "failures", "paused_until"])
    longest = timedelta(hours=settings.ENV.webhook_disable_after_hours)
    if outcome.is_gone:
        disable(endpoint, why="gone")
    elif now - endpoint.failing_since >= longest:
        disable(endpoint, why="failing")


def disable(endpoint: Endpoint, *, why: str, actor: int | None = None) -> None:
    """Send it nothing more until staff enable it; the caller holds its row's lock."""
    if endpoint.disabled_at is not None:
        return
    endpoint.disabled_at, endpoint.disabled_why = clock.now(), why
    endpoint.save(update_fields=["disabled_at", "disabled_why"])
    said = {} if actor is None else {"actor": actor}
    append(endpoint_fact(endpoint.pk, "disabled", reason=why, **said))
    logger.warning("webhook endpoint %s was disabled: %s", endpoint, why)
