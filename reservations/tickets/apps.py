from django.apps import AppConfig


class TicketsConfig(AppConfig):
    """Tickets: issued, shown, mailed, checked at the gate. May be left out (`APPS_LEFT_OUT`)."""

    name = "reservations.tickets"
    label = "tickets"

    def ready(self) -> None:
        from config.outbox import consumers
        from reservations.tickets.issue import issue_confirmed, void_cancelled

        consumers.subscribe("booking.confirmed", issue_confirmed)
        consumers.subscribe("booking.cancelled", void_cancelled)
