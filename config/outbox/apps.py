from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """Facts on their way out of PostgreSQL."""

    name = "config.outbox"
    label = "outbox"
