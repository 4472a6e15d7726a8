"""The passengers named with entries are erased with the account's others."""

from reservations.waitlist.models import Entry
from reservations.waitlist.states import IN_QUEUE


def erase_party(user: int, *, journeys_to_come: bool) -> int:
    """Forget who would travel; how many were named. Entries that ended name nobody any more."""
    if not journeys_to_come:
        return 0
    entries = Entry.objects.filter(owner=user, state__in=IN_QUEUE).exclude(passengers=[])
    named = sum(len(each) for each in entries.values_list("passengers", flat=True))
    entries.update(passengers=[])
    return named
