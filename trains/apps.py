from django.apps import AppConfig


class TrainsConfig(AppConfig):
    """The physical world and the timetable."""

    name = "trains"

    def ready(self) -> None:
        from trains import signals  # noqa: F401  # connects post_save on Coach
