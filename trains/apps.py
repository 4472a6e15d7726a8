from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class TrainsConfig(AppConfig):
    """The physical world and the timetable."""

    name = "trains"

    def ready(self) -> None:
        from trains import signals  # noqa: F401  # connects post_save on Coach
        from trains.timetable_mark import watch, watch_all

        connection_created.connect(watch, dispatch_uid="timetable_is_watched")
        watch_all()
        post_migrate.connect(_load_fares, sender=self, dispatch_uid="first_fare_table")


def _load_fares(using: str, **_: Any) -> None:
    """No fares, no sale: a database that has none gets the shipped table with its migration."""
    from django.db import connections

    from trains.services.load_fares import load_fares

    if "trains_faretable" in connections[using].introspection.table_names():
        load_fares()
