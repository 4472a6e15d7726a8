"""Celery's doors into the engine. Each may be late, doubled or absent for an hour."""

import time
from typing import Final

from celery import shared_task

from config.outbox.consumers import BATCH_SIZE, consume_pending
from config.stores import keys
from config.stores.leases import one_at_a_time
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


# A rush leaves facts for minutes. Others are let in between, or nothing else would be shipped,
# swept or mailed meanwhile.
CONSUME_SECONDS: Final = 3.0
CONSUME_LEASE_SECONDS: Final = 10.0


@shared_task
def consume_outbox() -> None:
    until = time.monotonic() + CONSUME_SECONDS
    with one_at_a_time(keys.CONSUMER_LEASE, seconds=CONSUME_LEASE_SECONDS) as is_ours:
        # Of a rush only full batches, the rest in the next second: a departure's facts cost
        # together little more than one.
        while is_ours and consume_pending() == BATCH_SIZE and time.monotonic() < until:
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
