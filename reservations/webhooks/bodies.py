"""What the webhook calls take and give."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from reservations.webhooks.addresses import URL_MAX
from reservations.webhooks.models import Attempt, Endpoint, Message

EventType = Literal[
    "booking.confirmed",
    "booking.cancelled",
    "booking.seats-cancelled",
    "booking.reseated",
    "booking.changed",
    "booking.refunded",
    "waitlist.served",
]
Url = Annotated[str, msgspec.Meta(min_length=1, max_length=URL_MAX)]
Events = Annotated[tuple[EventType, ...], msgspec.Meta(min_length=1, max_length=20)]
Description = Annotated[str, msgspec.Meta(max_length=200)]


class NewWebhookBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where to tell what. `account`: of whose bookings (a username); of all, if it is left out."""

    url: Url
    events: Events
    account: Annotated[str, msgspec.Meta(min_length=1, max_length=150)] | None = None
    description: Description = ""


class WebhookChangeBody(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What is left out, or null, stays. `enabled`: true sends what waits."""

    url: Url | None = None
    events: Events | None = None
    description: Description | None = None
    enabled: bool | None = None


class WebhookBody(msgspec.Struct, frozen=True):
    """`failing_since`: nothing got through since then. `disabled_why`: by-staff, gone, failing."""

    webhook: str
    account: str | None
    url: str
    events: tuple[str, ...]
    description: str
    status: Literal["enabled", "disabled"]
    disabled_why: str | None
    disabled_at: datetime | None
    failing_since: datetime | None
    created_by: str
    created_at: datetime


class WebhookWithSecretBody(WebhookBody, frozen=True):
    """The secret is told when it is made, and never again."""

    secret: str


class WebhookPage(msgspec.Struct, frozen=True):
    count: int
    next: str | None
    previous: str | None
    results: list[WebhookBody]


class AttemptBody(msgspec.Struct, frozen=True):
    """One try. `status` is null if no answer came; `error` says why."""

    at: datetime
    duration_ms: int
    status: int | None
    error: str


class DeliveryBody(msgspec.Struct, frozen=True):
    """One event for one webhook. `message` is its `webhook-id`, `payload` what is sent."""

    message: str
    webhook: str
    type: str
    status: Literal["waiting", "delivered", "given-up"]
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    payload: msgspec.Raw
    log: tuple[AttemptBody, ...]


class DeliveryPage(msgspec.Struct, frozen=True):
    count: int
    next: str | None
    previous: str | None
    results: list[DeliveryBody]


class ReplayBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was given up, all of it or what was written since then."""

    since: datetime | None = None


class ReplayedBody(msgspec.Struct, frozen=True):
    """How many messages are on their way again."""

    replayed: int


def webhook_body(endpoint: Endpoint) -> WebhookBody:
    return WebhookBody(**_members(endpoint))  # type: ignore[arg-type]  # a member for each field


def webhook_with_secret(endpoint: Endpoint) -> WebhookWithSecretBody:
    return WebhookWithSecretBody(**_members(endpoint), secret=endpoint.secret)  # type: ignore[arg-type]


def _members(endpoint: Endpoint) -> dict[str, object]:
    return {
        "webhook": str(endpoint.pk),
        "account": endpoint.account.username if endpoint.account else None,
        "url": endpoint.url,
        "events": tuple(endpoint.events),
        "description": endpoint.description,
        "status": "enabled" if endpoint.disabled_at is None else "disabled",
        "disabled_why": endpoint.disabled_why or None,
        "disabled_at": endpoint.disabled_at,
        "failing_since": endpoint.failing_since,
        "created_by": endpoint.created_by.username,
        "created_at": endpoint.created_at,
    }


def delivery_body(message: Message) -> DeliveryBody:
    is_waiting = message.state == "waiting"
    return DeliveryBody(
        message=message.name,
        webhook=str(message.endpoint_id),
        type=message.type,
        status=message.state,  # type: ignore[arg-type]  # its three words
        attempts=message.attempts,
        created_at=message.created_at,
        next_attempt_at=message.next_at if is_waiting else None,
        delivered_at=message.delivered_at,
        payload=msgspec.Raw(message.payload.encode()),
        log=tuple(_attempt(each) for each in sorted(message.log.all(), key=lambda a: a.pk)),
    )


def _attempt(attempt: Attempt) -> AttemptBody:
    return AttemptBody(attempt.at, attempt.duration_ms, attempt.status, attempt.error)
