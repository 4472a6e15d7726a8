"""The two accounts a stranger finds after `make run`; never beside stores of one's own."""

import logging
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import transaction

from config import clock
from config.outbox.facts import append
from users import facts
from users.models import User

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DemoAccount:
    username: str
    password: str
    is_admin: bool


DEMO_ACCOUNTS: Final = (
    DemoAccount("admin", "seatlock-admin", is_admin=True),
    DemoAccount("traveller", "seatlock-traveller", is_admin=False),
)


def ensure_demo_accounts() -> list[User]:
    """The demo accounts, made if missing and left alone if there, with embedded stores only.

    Elsewhere nothing happens and the list is empty: their passwords are public.
    """
    if settings.ENV.seatlock_embedded != "1":
        logger.warning("no demo accounts: the stores are not the embedded ones")
        return []
    users = [_ensure(account) for account in DEMO_ACCOUNTS]
    logger.warning(
        "DEMO ACCOUNTS with public passwords are open: %s. Never put this on a network.",
        ", ".join(f"{account.username} / {account.password}" for account in DEMO_ACCOUNTS),
    )
    return users


def _ensure(account: DemoAccount) -> User:
    there = User.objects.filter(username=account.username).first()
    if there is not None:
        return there
    user = User(
        username=account.username,
        email=f"{account.username}@example.org",
        is_staff=account.is_admin,
        is_superuser=account.is_admin,
        date_joined=clock.now(),
    )
    user.set_password(account.password)
    with transaction.atomic():
        user.save()
        append(facts.registered(user.pk))
    return user
