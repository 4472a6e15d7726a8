"""Celery's doors into the engine. Each may be late, doubled or absent for an hour."""

from celery import shared_task

from config.outbox.consumers import consume_pending
from reservations.bookings.tombstone import purge_tombstones as purge
from reservations.services.bury_released import bury_unburied
from reservations.services.cancel_departure import cancel_withdrawn as cancel
from reservations.services.expire_holds import expire_holds
from reservations.services.mail_bookings import send_waiting
from reservations.services.reconcile_images import notice_restart as look_for_restart
from reservations.services.reconcile_images import reconcile_images


@shared_task
def sweep_holds() -> None:
    expire_holds()
    bury_unburied()


@shared_task
def cancel_withdrawn() -> None:
    cancel()


@shared_task
def send_booking_mail() -> None:
    send_waiting()


@shared_task
def consume_outbox() -> None:
    while consume_pending():
        pass


@shared_task
def reconcile_departures() -> None:
    reconcile_images()


@shared_task
def notice_restart() -> None:
    look_for_restart()


@shared_task
def purge_tombstones() -> int:
    return purge()
