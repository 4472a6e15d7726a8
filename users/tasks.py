"""Background work on accounts; each task calls one service."""

from celery import shared_task

from users import services
from users.services.purge_logins import purge_logins as purge
from users.services.send_claims import purge_claims, send_claims


@shared_task
def purge_logins() -> int:
    return purge()


@shared_task
def purge_guest_claims() -> int:
    return purge_claims()


@shared_task
def send_claim_mail() -> None:
    send_claims()


@shared_task
def restore_ended_marks() -> int:
    return services.restore_ended_marks()
