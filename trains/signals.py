"""The one signal of the product: a saved coach has its seats."""

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from trains.models import Coach
from trains.services.generate_seats import generate_seats


@receiver(post_save, sender=Coach, dispatch_uid="coach_has_its_seats")
def make_seats(sender: type[Coach], instance: Coach, raw: bool, **kwargs: Any) -> None:
    """Make the seat rows the coach lacks (none, when it is saved again unchanged)."""
    del sender, kwargs
    if not raw:
        generate_seats(coach_ids=[instance.pk])
