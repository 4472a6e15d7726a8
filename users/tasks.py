"""Background work on accounts; each task calls one service."""

from celery import shared_task

from users import services
from users.services.purge_logins import purge_logins as purge


@shared_task
def purge_logins() -> int:
    return purge()


@shared_task
def restore_ended_marks() -> int:
    return services.restore_ended_marks()
