"""What staff do with endpoints and deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from config import clock
from config.errors import Invalid, NotFound
from config.outbox.facts import append
from reservations.errors import IllegalState
from reservations.webhooks.addresses import refuse_wrong_url
from reservations.webhooks.deliver import disable
from reservations.webhooks.events import TYPES
from reservations.webhooks.facts import endpoint_fact
from reservations.webhooks.models import Endpoint, Message
from reservations.webhooks.signing import new_secret
from users.models import User

OLD_SECRET_SIGNS: Final = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What may be changed; None stays as it is."""

    url: str | None = None
    events: Sequence[str] | None = None
    description: str | None = None
    enabled: bool | None = None


def register_endpoint(
    *, actor: int, account: str | None, url: str, events: Sequence[str], description: str
) -> Endpoint:
    """An address that is told of this account's bookings (by username), or of all.

    Raises `Invalid`: an address inside, events nobody sends, no such account.
    """
    _refuse_wrong(url, events)
    with transaction.atomic():
        owner = None
        if account is not None:
            owner = User.objects.filter(username__iexact=account, is_guest=False).first()
            if owner is None:
                raise Invalid({"account": ["There is no account of this name."]})
        endpoint = Endpoint.objects.create(
            account=owner,
            url=url,
            events=sorted(set(events)),
            description=description,
            secret=new_secret(),
            created_by_id=actor,
        )
        append(endpoint_fact(endpoint.pk, "registered", actor=actor, events=endpoint.events))
    return find_endpoint(endpoint.pk)


def find_endpoint(pk: UUID) -> Endpoint:
    """Raises `NotFound`."""
    found = Endpoint.objects.select_related("account", "created_by").filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such webhook")
    return found


def change_endpoint(*, actor: int, pk: UUID, change: Change) -> Endpoint:
    """Enabling it sends what waits. Raises `NotFound`, `Invalid`."""
    _refuse_wrong(change.url, change.events)
    with transaction.atomic():
        endpoint = _locked(pk)
        changed = []
        for name in ("url", "events", "description"):
            value = getattr(change, name)
            if value is not None and value != getattr(endpoint, name):
                setattr(endpoint, name, sorted(set(value)) if name == "events" else value)
                changed.append(name)
        endpoint.save()
        if changed:
            append(endpoint_fact(pk, "changed", actor=actor, members=changed))
        if change.enabled is False:
            disable(endpoint, why="by-staff", actor=actor)
        elif change.enabled and endpoint.disabled_at is not None:
            _enable(endpoint, actor)
    return find_endpoint(pk)


def delete_endpoint(*, actor: int, pk: UUID) -> None:
    """With its messages and their log; one that is gone is gone."""
    with transaction.atomic():
        if Endpoint.objects.filter(pk=pk).delete()[0]:
            append(endpoint_fact(pk, "deleted", actor=actor))


def rotate_secret(*, actor: int, pk: UUID) -> Endpoint:
    """A new secret; the old one signs as well for a day. Raises `NotFound`."""
    with transaction.atomic():
        endpoint = _locked(pk)
        endpoint.old_secret, endpoint.secret = endpoint.secret, new_secret()
        endpoint.old_secret_until = clock.now() + OLD_SECRET_SIGNS
        endpoint.save(update_fields=["secret", "old_secret", "old_secret_until"])
        append(endpoint_fact(pk, "secret-rotated", actor=actor))
    return find_endpoint(pk)


def replay_message(*, actor: int, name: str) -> Message:
    """Send a message again, delivered or not, under its old id, with all its tries.

    Raises `NotFound`, `IllegalState` (its endpoint is disabled).
    """
    with transaction.atomic():
        found = Message.objects.select_for_update(of=("self",)).select_related("endpoint")
        message = found.filter(name=name).first()
        if message is None:
            raise NotFound("There is no such delivery")
        if message.endpoint.disabled_at is not None:
            raise IllegalState("The webhook is disabled; enable it first.", "disabled")
        _send_again(message.endpoint, Q(pk=message.pk))
        append(endpoint_fact(message.endpoint_id, "replayed", actor=actor, message=name))
    message.refresh_from_db()
    return message


def replay_failed(*, actor: int, pk: UUID, since: datetime | None) -> int:
    """Send again what was given up (since then); how many. Raises `NotFound`, `IllegalState`."""
    with transaction.atomic():
        endpoint = _locked(pk)
        if endpoint.disabled_at is not None:
            raise IllegalState("The webhook is disabled; enable it first.", "disabled")
        which = Q(given_up_at__isnull=False) & (Q(created_at__gte=since) if since else Q())
        number = _send_again(endpoint, which)
        append(endpoint_fact(pk, "replayed", actor=actor, count=number))
    return number


def purge_messages() -> int:
    """Forget messages and their log WEBHOOK_RETENTION_DAYS after they were written; how many."""
    before = clock.now() - timedelta(days=settings.ENV.webhook_retention_days)
    return Message.objects.filter(created_at__lt=before).delete()[0]


def _send_again(endpoint: Endpoint, which: Q) -> int:
    now = clock.now()
    endpoint.paused_until = None
    endpoint.save(update_fields=["paused_until"])
    return Message.objects.filter(which, endpoint=endpoint).update(
        next_at=now, attempts=0, delivered_at=None, given_up_at=None
    )


def _enable(endpoint: Endpoint, actor: int) -> None:
    endpoint.disabled_at, endpoint.disabled_why = None, ""
    endpoint.failing_since, endpoint.paused_until, endpoint.failures = None, None, 0
    endpoint.save()
    append(endpoint_fact(endpoint.pk, "enabled", actor=actor))
    now = clock.now()
    Message.objects.filter(endpoint=endpoint, delivered_at=None, given_up_at=None).update(
        next_at=now, attempts=0
    )


def _locked(pk: UUID) -> Endpoint:
    endpoint = Endpoint.objects.select_for_update().filter(pk=pk).first()
    if endpoint is None:
        raise NotFound("There is no such webhook")
    return endpoint


def _refuse_wrong(url: str | None, events: Sequence[str] | None) -> None:
    if url is not None:
        refuse_wrong_url(url, may_be_private=settings.ENV.webhook_private_targets == "on")
    if events is not None and (unknown := set(events) - set(TYPES)):
        raise Invalid({"events": [f"There is no {', '.join(sorted(unknown))}."]})
