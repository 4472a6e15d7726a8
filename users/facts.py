"""The facts of accounts, as they go into the outbox: ids and reasons, no personal data.

| kind | stage | when |
|---|---|---|
| `account.registered` | 0 | an account was made |
| `account.login` | 1 | a login began |
| `account.login-failed` | 1 | a password was wrong; of an unknown name, only the address is kept |
| `account.password-changed` | 1 | by its owner or by staff |
| `account.rights-changed` | 1 | staff rights or the account's being active |
| `account.key-created` | 1 | staff made an API key |
| `account.claimed` | 1 | an account proved a guest's e-mail and has the guest's bookings |
| `account.logout` | 2 | a login was ended, by whom or by what: `reason` |

Logins of one account go on side by side, so their facts have no order among each other.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal
from uuid import UUID, uuid4

from config.outbox.facts import Fact

REGISTERED: Final = 0
USED: Final = 1
ENDED: Final = 2

EndReason = Literal[
    "logout",
    "refresh-reused",
    "password-changed",
    "rights-lost",
    "ended-by-staff",
    "key-revoked",
]


def _subject(user_id: int) -> str:
    return f"user:{user_id}"


def registered(user_id: int, **more: Any) -> Fact:
    """`more`: `guest`, and who made it (`actor`, `key`)."""
    subject = _subject(user_id)
    return Fact(
        event_id=f"{subject}:registered",
        kind="account.registered",
        subject=subject,
        stage=REGISTERED,
        body={"user": user_id, **more},
    )


def key_created(user_id: int, prefix: str, *, actor: int, scopes: Sequence[str]) -> Fact:
    subject = _subject(user_id)
    return Fact(
        event_id=f"{subject}:key-created:{prefix}",
        kind="account.key-created",
        subject=subject,
        stage=USED,
        body={"user": user_id, "key": prefix, "actor": actor, "scopes": list(scopes)},
    )


def claimed(guest_id: int, account_id: int, claim: int, moved: Sequence[str]) -> Fact:
    """`moved`: the PNRs that are the account's from now on."""
    subject = _subject(guest_id)
    return Fact(
        event_id=f"{subject}:claimed:{claim}",
        kind="account.claimed",
        subject=subject,
        stage=USED,
        body={"user": guest_id, "account": account_id, "pnrs": list(moved)},
    )


def logged_in(user_id: int, sid: UUID) -> Fact:
    subject = _subject(user_id)
    return Fact(
        event_id=f"{subject}:login:{sid}",
        kind="account.login",
        subject=subject,
        stage=USED,
        body={"user": user_id, "sid": str(sid)},
    )


def login_failed(user_id: int | None, address: str) -> Fact:
    """`user_id` is None for a name nobody has; then the address is all there is to say."""
    subject = f"address:{address}" if user_id is None else _subject(user_id)
    return Fact(
        event_id=f"{subject}:login-failed:{uuid4()}",
        kind="account.login-failed",
        subject=subject,
        stage=USED,
        body={} if user_id is None else {"user": user_id},
    )


def logged_out(user_id: int, sid: UUID, reason: EndReason) -> Fact:
    subject = _subject(user_id)
    return Fact(
        event_id=f"{subject}:logout:{sid}",
        kind="account.logout",
        subject=subject,
        stage=ENDED,
        body={"user": user_id, "sid": str(sid), "reason": reason},
    )


def password_changed(user_id: int) -> Fact:
    subject = _subject(user_id)
    return Fact(
        event_id=f"{subject}:password-changed:{uuid4()}",
        kind="account.password-changed",
        subject=subject,
        stage=USED,
        body={"user": user_id},
    )


def rights_changed(user_id: int, *, is_staff: bool, is_active: bool) -> Fact:
    subject = _subject(user_id)
    return Fact(
        event_id=f"{subject}:rights-changed:{uuid4()}",
        kind="account.rights-changed",
        subject=subject,
        stage=USED,
        body={"user": user_id, "is_staff": is_staff, "is_active": is_active},
    )
