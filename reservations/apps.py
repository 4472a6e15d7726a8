from django.apps import AppConfig


class ReservationsConfig(AppConfig):
    """The engine: holds, bookings, availability."""

    name = "reservations"
