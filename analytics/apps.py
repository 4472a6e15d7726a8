from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Watches: ships facts to MongoDB and answers from there."""

    name = "analytics"

    def ready(self) -> None:
        from analytics import metrics  # it needs models, which are there only now

        metrics.register()
