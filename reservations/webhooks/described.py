"""The webhook calls in the OpenAPI document."""

from typing import Any, Final

from config.http.openapi import Operation, Parameter, describe
from reservations.webhooks.bodies import (
    DeliveryBody,
    DeliveryPage,
    NewWebhookBody,
    ReplayBody,
    ReplayedBody,
    WebhookBody,
    WebhookChangeBody,
    WebhookPage,
    WebhookWithSecretBody,
)

_STAFF: Final = ("not-authenticated", "token-expired", "forbidden", "throttled", "unavailable")
_WEBHOOK: Final = Parameter(name="webhook", where="path", about="The id of the webhook.")
_PAGE: Final = (
    Parameter(name="limit", kind="integer", about="20 unless told, at most 100."),
    Parameter(name="offset", kind="integer", about="How many to leave out first."),
)
_SHOWN: Final[dict[str, Any]] = {
    "webhook": "5f0c2a57-9f3c-4c1e-9a55-0a7b1a0d2f11",
    "account": "acme-travel",
    "url": "https://hooks.acme-travel.example/seatlock",
    "events": ["booking.cancelled", "booking.confirmed"],
    "description": "",
    "status": "enabled",
    "disabled_why": None,
    "disabled_at": None,
    "failing_since": None,
    "created_by": "admin",
    "created_at": "2026-11-21T08:00:00Z",
}

describe(
    Operation(
        method="GET",
        path="operations/webhooks/",
        name="list_webhooks",
        tag="Operations",
        summary="Where partners are told of bookings, latest first",
        answers={200: WebhookPage},
        problems=("invalid", *_STAFF),
        parameters=_PAGE,
    ),
    Operation(
        method="POST",
        path="operations/webhooks/",
        name="register_webhook",
        tag="Operations",
        summary="Register an address of a partner's",
        description=(
            "What is sent is signed to the Standard Webhooks specification with the `secret` that "
            "is told here, once. Addresses inside a network are refused."
        ),
        body=NewWebhookBody,
        example={name: _SHOWN[name] for name in ("account", "url", "events")},
        answers={201: WebhookWithSecretBody},
        answer_examples={201: {**_SHOWN, "secret": "whsec_…"}},
        problems=("invalid", *_STAFF),
    ),
    Operation(
        method="GET",
        path="operations/webhooks/{webhook}/",
        name="show_webhook",
        tag="Operations",
        summary="One webhook",
        answers={200: WebhookBody},
        answer_examples={200: _SHOWN},
        problems=("not-found", *_STAFF),
        parameters=(_WEBHOOK,),
    ),
    Operation(
        method="PATCH",
        path="operations/webhooks/{webhook}/",
        name="change_webhook",
        tag="Operations",
        summary="Change, disable or enable a webhook",
        description="Enabled again, it is sent what has waited meanwhile.",
        body=WebhookChangeBody,
        example={"enabled": True},
        answers={200: WebhookBody},
        answer_examples={200: _SHOWN},
        problems=("invalid", "not-found", *_STAFF),
        parameters=(_WEBHOOK,),
    ),
    Operation(
        method="DELETE",
        path="operations/webhooks/{webhook}/",
        name="delete_webhook",
        tag="Operations",
        summary="Delete a webhook with its deliveries; again is harmless",
        answers={204: None},
        problems=("not-found", *_STAFF),
        parameters=(_WEBHOOK,),
    ),
    Operation(
        method="POST",
        path="operations/webhooks/{webhook}/secret/",
        name="rotate_webhook_secret",
        tag="Operations",
        summary="A new secret; the old one signs as well for a day",
        answers={200: WebhookWithSecretBody},
        answer_examples={200: {**_SHOWN, "secret": "whsec_…"}},
        problems=("not-found", *_STAFF),
        parameters=(_WEBHOOK,),
    ),
    Operation(
        method="POST",
        path="operations/webhooks/{webhook}/replay/",
        name="replay_failed_deliveries",
        tag="Operations",
        summary="Send again what was given up",
        body=ReplayBody,
        example={"since": "2026-11-20T00:00:00Z"},
        answers={200: ReplayedBody},
        problems=("invalid", "not-found", "illegal-state", *_STAFF),
        parameters=(_WEBHOOK,),
    ),
    Operation(
        method="GET",
        path="operations/webhooks/{webhook}/deliveries/",
        name="list_deliveries",
        tag="Operations",
        summary="What was sent, and each try, latest first",
        answers={200: DeliveryPage},
        problems=("invalid", "not-found", *_STAFF),
        parameters=(
            _WEBHOOK,
            Parameter(
                name="status",
                about="Only these.",
                form={"enum": ["waiting", "delivered", "given-up"]},
            ),
            *_PAGE,
        ),
    ),
    Operation(
        method="POST",
        path="operations/webhook-deliveries/{message}/replay/",
        name="replay_delivery",
        tag="Operations",
        summary="Send one message again, under its old id",
        answers={202: DeliveryBody},
        problems=("not-found", "illegal-state", *_STAFF),
        parameters=(Parameter(name="message", where="path", about="Its `webhook-id`."),),
    ),
)
