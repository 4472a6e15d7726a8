"""Celery's doors to the shipper. Safe to run twice at once, or not for an hour."""

from celery import shared_task

from analytics.shipping import outbox
from analytics.shipping.shipper import ship_pending


@shared_task
def ship_facts() -> int:
    """Outbox, hold facts and request log into MongoDB. Returns how many messages were shipped."""
    return ship_pending()


@shared_task
def purge_outbox() -> int:
    """Delete outbox rows that were shipped and consumed a week ago. Returns how many."""
    return outbox.purge()
