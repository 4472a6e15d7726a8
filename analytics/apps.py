from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Watches: ships facts to MongoDB and answers from there."""

    name = "analytics"
