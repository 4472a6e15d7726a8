"""Celery's door into the tickets. May be late, doubled or absent for an hour."""

from typing import Final

from celery import shared_task

from config.stand_back import stand_back
from config.stores import keys
from config.stores.leases import one_at_a_time
from reservations.tickets.mail import send_waiting

LEASE_SECONDS: Final = 30.0


@shared_task
def send_ticket_mail() -> None:
    """Setting a PDF takes an eighth of a second: one worker does it, when nobody else needs the
    processor, and the others go on with the rest.
    """
    with one_at_a_time(keys.TICKET_MAIL_LEASE, seconds=LEASE_SECONDS) as is_ours:
        if is_ours:
            stand_back(send_waiting)
