"""Mail the codes that prove an e-mail, with backoff.

    claim a row (FOR UPDATE SKIP LOCKED) -> send -> mark it sent, COMMIT

A crash between the two sends the same code again, which harms nobody.
"""

import logging
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from config import clock
from users.models import GuestClaim
from users.services.claim_guests import LIVES, code_of

logger = logging.getLogger(__name__)
FIRST_WAIT: Final = timedelta(seconds=30)
_MINUTES: Final = int(LIVES.total_seconds()) // 60


def send_claims(limit: int = 50) -> int:
    """Send what is due, oldest first; how many were sent."""
    sent = 0
    for _ in range(limit):
        outcome = _send_next()
        if outcome is None:
            break
        sent += outcome
    return sent


def _send_next() -> bool | None:
    """Whether the next one that is due was sent; None if none is. One too old is left alone."""
    now = clock.now()
    with transaction.atomic():
        claim = (
            GuestClaim.objects.select_for_update(skip_locked=True)
            .filter(sent_at=None, next_at__lte=now, expires_at__gt=now)
            .order_by("next_at")
            .first()
        )
        if claim is None:
            return None
        try:
            _send(claim)
        except Exception as error:  # noqa: BLE001  # whatever a mail server may raise: again later
            claim.attempts += 1
            claim.next_at = now + FIRST_WAIT * 2 ** (claim.attempts - 1)
            claim.save(update_fields=["attempts", "next_at"])
            # What the server said may hold an address.
            logger.warning("a code was not mailed (%s): %s", claim, type(error).__name__)
            return False
        claim.sent_at = now
        claim.save(update_fields=["sent_at"])
        return True


def _send(claim: GuestClaim) -> None:
    EmailMessage(
        subject="Your code to take over bookings",
        body=(
            "Somebody with an account asked for the bookings that were made with this address "
            "and without an account.\n\n"
            f"If that was you, enter this code within {_MINUTES} minutes:\n\n"
            f"{code_of(claim)}\n\n"
            "If not, do nothing, and give the code to nobody.\n"
        ),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[claim.email],
    ).send()


def purge_claims() -> int:
    """Forget claims a day after they ended: they hold an address."""
    before = clock.now() - timedelta(days=1)
    return GuestClaim.objects.filter(expires_at__lt=before).delete()[0]
