"""An account takes over what was booked with its e-mail as a guest, once it has proved the e-mail.

    account                       mailbox                     PostgreSQL
      | ask: this e-mail             |                           |
      |----------------------------------------------------------| a row, nothing told
      |                              |<-- a code, signed --------| sent by the worker
      | the code ------------------------------------------------| bookings are the account's

Whether there is a guest of that e-mail is told to nobody before the mailbox has proved itself: the
answer is the same, and the code is mailed in either case. The code names the account that asked,
so it is worth nothing to another who reads it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.core import signing
from django.db import transaction

from config import clock
from config.errors import Invalid
from config.idempotency.services import forget_keys_of
from config.outbox.facts import append
from users import facts, hooks
from users.models import GuestClaim, User

SALT: Final = "guest claim"
LIVES: Final = timedelta(minutes=60)
_WRONG: Final = "This code is not valid, or not any more."


@dataclass(frozen=True)
class Claimed:
    """What became the account's: PNRs, and how many guests they were of."""

    guests: int
    pnrs: tuple[str, ...]


def ask_to_claim(*, account: int, email: str) -> GuestClaim:
    """Mail a code to this address (`send_claims`)."""
    now = clock.now()
    return GuestClaim.objects.create(
        account_id=account,
        email=User.objects.normalize_email(email),
        created_at=now,
        expires_at=now + LIVES,
        next_at=now,
    )


def code_of(claim: GuestClaim) -> str:
    """What is mailed: the row's number, signed."""
    return signing.Signer(salt=SALT).sign(str(claim.pk))


def claim_guests(*, account: int, code: str) -> Claimed:
    """Everything of the guests with the e-mail that this code proves is the account's.

    Raises `Invalid` (field `code`): forged, another account's, used, or too old.
    """
    try:
        number = int(signing.Signer(salt=SALT).unsign(code))
    except (signing.BadSignature, ValueError):
        raise Invalid({"code": [_WRONG]}) from None
    now = clock.now()
    with transaction.atomic():
        claim = (
            GuestClaim.objects.select_for_update()
            .filter(pk=number, account=account, used_at=None, expires_at__gt=now)
            .first()
        )
        if claim is None:
            raise Invalid({"code": [_WRONG]})
        # In one order, so that two claims of one e-mail wait instead of deadlocking.
        guests = list(
            User.objects.filter(is_guest=True, email__iexact=claim.email)
            .exclude(pk=account)
            .order_by("pk")
            .select_for_update()
            .values_list("pk", flat=True)
        )

        # From here the claim must succeed.
        moved = hooks.make_over(guests, account)
        forget_keys_of(user_ids=guests)
        claim.used_at = now
        claim.save(update_fields=["used_at"])
        append(*(facts.claimed(guest, account, claim.pk, moved) for guest in guests))
    return Claimed(len(guests), tuple(moved))
