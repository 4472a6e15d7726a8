from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from config.outbox.models import OutboxEvent


class PaymentsConfig(AppConfig):
    """Money for holds, in and back."""

    name = "reservations.payments"
    label = "payments"

    def ready(self) -> None:
        from config.outbox import consumers
        from reservations.bookings import money_back
        from reservations.payments.services.give_back import PaymentsOfBookings
        from reservations.payments.services.move_payments import move_payments
        from users.hooks import register_heir

        consumers.subscribe("payment.captured", finish_captured_payments)
        register_heir(move_payments)
        money_back.register(PaymentsOfBookings())


def finish_captured_payments(events: "Sequence[OutboxEvent]") -> None:
    """Consumer: finish what a webhook began. Never raises: a task comes back to the rest."""
    from reservations.payments.services.finish_payment import finish_soon

    for event in events:
        finish_soon(event.body["payment"])
