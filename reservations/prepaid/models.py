"""Which payment is for which place on the waitlist."""

from django.db import models

from reservations.payments.models import Payment
from reservations.waitlist.models import Entry


class Prepayment(models.Model):
    """A payment begun for an entry. Of an entry's payments one at most is kept or booked."""

    payment = models.OneToOneField(
        Payment, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="prepayments")

    def __str__(self) -> str:
        return f"{self.payment_id} for {self.entry_id}"
