from django.apps import AppConfig


class TicketsConfig(AppConfig):
    """Tickets: issued, shown, mailed, checked at the gate. May be left out (`APPS_LEFT_OUT`)."""

    name = "reservations.tickets"
    label = "tickets"

    def ready(self) -> None:
        from config.outbox import consumers
        from reservations.bookings import objections
        from reservations.tickets.board import boarded_already
        from reservations.tickets.issue import issue_confirmed, reissue_changed, void_cancelled

        consumers.subscribe("booking.confirmed", issue_confirmed)
        consumers.subscribe("booking.seats-cancelled", reissue_changed)
        consumers.subscribe("booking.reseated", reissue_changed)
        consumers.subscribe("booking.changed", reissue_changed)
        consumers.subscribe("booking.cancelled", void_cancelled)
        objections.register(boarded_already)
