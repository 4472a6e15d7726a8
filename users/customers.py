"""Customers: the people agents book for. Who holds a customer's id may act for that customer.

A customer is a guest account that an agent made. Its id is signed and names the agent's account as
well, so that any process knows, with no query, whether this agent may act for that customer; those
that staff make are staff's together. The bookings are the customer's own, and a customer who makes
an account can claim them (`users.services.claim_guests`).
"""

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from typing import Final

from django.conf import settings

from config.errors import Forbidden, NotFound
from users.claims import Caller

HEADER: Final = "Seatlock-Customer"
META: Final = "HTTP_SEATLOCK_CUSTOMER"
MARK: Final = "cus_"
LENGTH: Final = 32
STAFF: Final = 0
_MAC_BYTES: Final = 12


def mint(*, agent: Caller, customer: int) -> str:
    """The id by which this agent, or any staff, acts for the customer (an account's id)."""
    return name_of(office=_office(agent), customer=customer)


def name_of(*, office: int, customer: int) -> str:
    """The same where no agent calls. `office`: the agent's account, or STAFF."""
    body = office.to_bytes(6, "big") + customer.to_bytes(6, "big")
    return MARK + urlsafe_b64encode(body + _mac(body)).decode()


def acting_for(agent: Caller, text: str) -> Caller:
    """The customer as caller, with the customer's rights alone; the agent is the actor.

    Raises `NotFound` for an id that is not this agent's, or nobody's: they look alike. Raises
    `Forbidden` for a key without the scope.
    """
    if agent.key is not None and "customers" not in agent.key.scopes:
        raise Forbidden("This key may not act for customers", scope="customers")
    if not is_agent(agent):
        raise NotFound("There is no such customer")
    office, customer = _read(text)
    if office != _office(agent):
        raise NotFound("There is no such customer")
    return replace(agent, user_id=customer, is_staff=False, actor=agent.user_id)


def is_agent(caller: Caller) -> bool:
    """Staff, and machines with a key."""
    return caller.by_staff or caller.key is not None


def _office(agent: Caller) -> int:
    return STAFF if agent.key is None else agent.user_id


def _read(text: str) -> tuple[int, int]:
    raw = b""
    if text.startswith(MARK) and len(text) == len(MARK) + LENGTH and text.isascii():
        try:
            raw = urlsafe_b64decode(text[len(MARK) :])
        except ValueError:
            raw = b""
    body, given = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not raw or not secrets.compare_digest(_mac(body), given):
        raise NotFound("There is no such customer")
    return int.from_bytes(body[:6], "big"), int.from_bytes(body[6:], "big")


def _mac(body: bytes) -> bytes:
    key = hashlib.blake2b(settings.SECRET_KEY.encode(), digest_size=32, person=b"customer id")
    return hashlib.blake2b(body, key=key.digest(), digest_size=_MAC_BYTES).digest()
