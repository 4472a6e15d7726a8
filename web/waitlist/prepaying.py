"""Money for a place on the waitlist, where such money is taken (the app may be left out)."""

from decimal import Decimal

from django.apps import apps
from django.conf import settings

from config.errors import NotFound
from reservations.waitlist.models import Entry
from reservations.waitlist.services.show_entry import EntryView
from trains.errors import FareMissing
from web.booking.paying import SANDBOX
from web.visitor import Visitor


def price(view: EntryView) -> Decimal | None:
    """What paying in advance would cost now; None: it is not offered, not needed, or done."""
    if view.status != "waiting" or view.prepaid is not None or not _is_offered():
        return None
    from reservations.prepaid.services.prepay_entry import price_entry

    try:
        return price_entry(Entry.objects.get(key=view.entry)) or None
    except FareMissing:
        return None


def begin(visitor: Visitor, name: str) -> str:
    """The payment for my entry, or the one that was begun; its id. Raises what `prepay_entry`
    does.
    """
    if not _is_offered():
        raise NotFound("Nothing is paid in advance here")
    from reservations.prepaid.services.prepay_entry import prepay_entry

    return str(prepay_entry(owner=visitor.owner, name=name, provider=SANDBOX).pk)


def _is_offered() -> bool:
    is_installed = apps.is_installed("reservations.prepaid")
    return is_installed and SANDBOX in settings.ENV.payment_providers
