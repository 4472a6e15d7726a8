"""People without an account: guests, and the customers of agents."""

import secrets
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from config import clock
from config.outbox.facts import append
from users import customers, facts
from users.claims import Caller
from users.minting import mint
from users.models import Login, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How a guest is reached. Nothing of it is proved."""

    email: str
    phone_number: str
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest with a token that cannot be refreshed."""

    user: User
    access: str
    expires_in_seconds: int


@dataclass(frozen=True, slots=True)
class Customer:
    """A guest of an agent's; `customer` is the id by which the agent acts for him."""

    user: User
    customer: str


def make_guest(*, contact: Contact) -> Guest:
    """A guest, logged in for as long as an access token lives."""
    now = clock.now()
    sid = uuid.uuid4()
    with transaction.atomic():
        user = _make(contact)
        tokens = mint(user=user, sid=sid)
        # The refresh token is given to nobody.
        Login.objects.create(
            sid=sid,
            user=user,
            refresh_jti=tokens.refresh_jti,
            created_at=now,
            expires_at=tokens.expires_at,
        )
    return Guest(user, tokens.access, settings.ENV.access_token_seconds)


def make_customer(*, agent: Caller, contact: Contact) -> Customer:
    """A customer of this agent's."""
    with transaction.atomic():
        user = _make(contact, **{"actor": agent.user_id, **agent.acting})
    return Customer(user, customers.mint(agent=agent, customer=user.pk))


def _make(contact: Contact, **said: object) -> User:
    user = User(
        username=f"guest-{secrets.token_hex(12)}",
        email=User.objects.normalize_email(contact.email),
        phone_number=contact.phone_number,
        first_name=contact.first_name,
        last_name=contact.last_name,
        is_guest=True,
        date_joined=clock.now(),
    )
    user.set_unusable_password()
    user.save()
    append(facts.registered(user.pk, guest=True, **said))
    return user
