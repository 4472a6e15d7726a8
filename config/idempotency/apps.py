from django.apps import AppConfig


class IdempotencyConfig(AppConfig):
    """Answers kept for 24 hours, so that a request sent twice has one effect and one answer."""

    name = "config.idempotency"
    label = "idempotency"
