"""Celery's door into the webhooks. May be late, doubled or absent for an hour."""

from celery import shared_task

from reservations.webhooks.deliver import deliver_due
from reservations.webhooks.endpoints import purge_messages


@shared_task
def deliver_webhooks() -> None:
    deliver_due()


@shared_task
def purge_webhooks() -> int:
    return purge_messages()
