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
        from reservations.payments.services import purposes
        from reservations.payments.services.charge_change import charge_change
        from reservations.payments.services.erase_payers import erase_payers
        from reservations.payments.services.finish_change import finish_change
        from reservations.payments.services.give_back import PaymentsOfBookings
        from reservations.payments.services.move_payments import move_payments
        from reservations.payments.states import Purpose
        from reservations.services import charge_difference, erase_passengers
        from users.hooks import register_heir

        consumers.subscribe("payment.captured", finish_captured_payments)
        register_heir(move_payments)
        erase_passengers.register(erase_payers)
        money_back.register(PaymentsOfBookings())
        purposes.register(Purpose.CHANGE, finish=finish_change)
        charge_difference.register(charge_change)


def finish_captured_payments(events: "Sequence[OutboxEvent]") -> None:
    """Consumer: finish what a webhook began. Never raises: a task comes back to the rest."""
    from reservations.payments.services.finish_payment import finish_soon

    for event in events:
        finish_soon(event.body["payment"])
