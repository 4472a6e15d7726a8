"""Tickets and their mail. No name, address or other personal data lies in these rows."""

from django.db import models
from django.db.models.functions import Now

from config.mail import WaitingMail
from reservations.models import Booking
from users.models import User


class Ticket(models.Model):
    """The ticket of a booking; there is one, however often it is issued.

    The booking's `revision` grows when its seats change: tokens carry it as their serial, and one
    with an older serial is void. `boarded_at` is set once. Whether it is valid is judged from the
    booking on each look, so `voided_at` only tells when that was noticed.
    """

    booking = models.OneToOneField(Booking, on_delete=models.PROTECT, related_name="ticket")
    number = models.CharField(max_length=16, unique=True)
    issued_at = models.DateTimeField(db_default=Now())
    voided_at = models.DateTimeField(null=True)
    boarded_at = models.DateTimeField(null=True)
    boarded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, db_index=False)

    def __str__(self) -> str:
        return self.number


class TicketMail(WaitingMail):
    """A ticket's mail on its way."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="+")

    class Meta:
        indexes = (
            models.Index(
                fields=["next_at"],
                name="ticket_mail_waiting",
                condition=models.Q(sent_at=None, given_up_at=None),
            ),
        )
