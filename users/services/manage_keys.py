"""API keys: made and revoked by staff."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from config import clock
from config.errors import Invalid, NotFound
from config.outbox.facts import append
from users import facts
from users.api_keys import new_key
from users.models import ApiKey, Login, User
from users.services.end_logins import end_logins


@dataclass(frozen=True)
class MadeKey:
    """`text` is the key itself; nobody can tell it again."""

    key: ApiKey
    text: str


def make_key(  # noqa: PLR0913  # what staff say of a key
    *,
    actor: int,
    account: str,
    name: str,
    scopes: Sequence[str],
    calls_per_minute: int,
    expires_in_days: int,
) -> MadeKey:
    """A key of this account (by username). Raises `Invalid`: no such account, or one that is shut.

    The key never has staff's rights, whosever it is.
    """
    now = clock.now()
    with transaction.atomic():
        found = User.objects.filter(username__iexact=account, is_active=True, is_guest=False)
        owner = found.select_for_update().first()
        if owner is None:
            raise Invalid({"account": ["There is no active account of this name."]})
        made = new_key()
        login = Login.objects.create(
            sid=uuid.uuid4(),
            user=owner,
            refresh_jti="",
            created_at=now,
            expires_at=now + timedelta(days=expires_in_days),
        )
        key = ApiKey.objects.create(
            login=login,
            prefix=made.prefix,
            digest=made.digest,
            name=name,
            scopes=sorted(set(scopes)),
            calls_per_minute=calls_per_minute,
            created_by_id=actor,
        )
        append(facts.key_created(owner.pk, key.prefix, actor=actor, scopes=key.scopes))
    return MadeKey(key, made.text)


def revoke_key(*, prefix: str) -> None:
    """End a key, at once and everywhere; one that has ended already has ended.

    Raises `NotFound`.
    """
    key = ApiKey.objects.select_related("login").filter(prefix=prefix).first()
    if key is None:
        raise NotFound("There is no such key")
    end_logins(user_id=key.login.user_id, only=key.login.sid, reason="key-revoked")
