"""Background work on kept answers."""

from celery import shared_task

from config.idempotency import services


@shared_task
def purge_keys() -> int:
    return services.purge_keys()
