from django.apps import AppConfig


class PrepaidConfig(AppConfig):
    """Places on the waitlist that are paid for. There if payments and waitlist are."""

    name = "reservations.prepaid"
    label = "prepaid"

    def ready(self) -> None:
        from reservations.payments.services import purposes
        from reservations.payments.states import Purpose
        from reservations.prepaid.services.finish_prepayment import finish_prepayment
        from reservations.prepaid.services.prepay_entry import prepay_entry
        from reservations.prepaid.services.purse import PURSE
        from reservations.waitlist import prepaid

        purposes.register(Purpose.WAITLIST, finish=finish_prepayment, start=prepay_entry)
        prepaid.register(PURSE)
