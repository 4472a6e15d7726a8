from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ReservationsConfig(AppConfig):
    """The engine: holds, bookings, availability."""

    name = "reservations"

    def ready(self) -> None:
        from config.outbox import consumers
        from reservations.services.consume_facts import (
            refresh_booked_seats,
            refresh_changed_departures,
            refresh_departures,
            refresh_fares,
        )
        from reservations.services.guard_sales import departures_in_use
        from reservations.services.move_bookings import move_bookings
        from trains import hooks
        from users.hooks import register_heir

        consumers.subscribe("booking.", refresh_booked_seats)
        consumers.subscribe("departure.", refresh_changed_departures)
        consumers.subscribe("fares.", refresh_fares)
        hooks.register_listener(refresh_departures)
        hooks.register_keeper(departures_in_use)
        register_heir(move_bookings)
        post_migrate.connect(_load_rules, sender=self, dispatch_uid="first_cancellation_rules")


def _load_rules(using: str, **_: Any) -> None:
    """A database that has no cancellation rules gets the shipped ones with its migration."""
    from django.db import connections

    from reservations.services.load_cancellation_rules import load_cancellation_rules

    if "reservations_cancellationtable" in connections[using].introspection.table_names():
        load_cancellation_rules()
