from django.apps import AppConfig


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
        from reservations.services.guard_sales import departures_in_use, trains_with_sales
        from reservations.services.move_bookings import move_bookings
        from trains import hooks
        from users.hooks import register_heir

        consumers.subscribe("booking.", refresh_booked_seats)
        consumers.subscribe("departure.", refresh_changed_departures)
        consumers.subscribe("fares.", refresh_fares)
        hooks.register_listener(refresh_departures)
        hooks.register_guard(trains_with_sales)
        hooks.register_keeper(departures_in_use)
        register_heir(move_bookings)
