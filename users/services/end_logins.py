"""End logins: every token they produced is dead from the moment this commits."""

from functools import partial
from uuid import UUID

from django.db import transaction

from config import clock
from config.errors import Invalid, NotAuthenticated
from config.outbox.facts import append
from users import claims, facts, marks
from users.models import ApiKey, Login, User


def end_logins(
    *,
    user_id: int,
    reason: facts.EndReason,
    only: UUID | None = None,
    spare: str | None = None,
) -> int:
    """End this user's logins (`only` one, or all but `spare`); how many were still going on.

    API keys are among them, but for a new password: a machine has nothing to do with that.

    PostgreSQL first, then the marks in Redis (`users.marks` says why), after COMMIT.
    """
    with transaction.atomic():
        alive = Login.objects.filter(user_id=user_id, ended_at=None)
        if only is not None:
            alive = alive.filter(sid=only)
        if spare is not None:
            alive = alive.exclude(sid=spare)
        if reason == "password-changed":
            alive = alive.exclude(sid__in=ApiKey.objects.values("pk"))
        # Locked in one order, so that two who end the same logins wait instead of deadlocking.
        sids = list(alive.order_by("sid").select_for_update().values_list("sid", flat=True))
        if not sids:
            return 0
        Login.objects.filter(sid__in=sids).update(ended_at=clock.now())
        append(*(facts.logged_out(user_id, sid, reason) for sid in sids))
        transaction.on_commit(partial(marks.write, [str(sid) for sid in sids]), robust=True)
    return len(sids)


def log_out(*, caller: claims.Caller, refresh: str) -> None:
    """End the login this refresh token belongs to, however old the token is; again is fine.

    Raises `Invalid` for a token that is not this caller's.
    """
    try:
        said = claims.read(refresh, kind="refresh")
    except NotAuthenticated as unreadable:
        raise Invalid({"refresh": [unreadable.detail]}) from None
    if said.caller.user_id != caller.user_id:
        raise Invalid({"refresh": ["The token is not valid"]})
    end_logins(user_id=caller.user_id, only=UUID(said.caller.sid), reason="logout")


def follow_standing(*, before: User, after: User, has_new_password: bool) -> None:
    """Called by `User.save` in its transaction: end the logins that now claim too much."""
    rights = (before.is_staff, before.is_active)
    if rights != (after.is_staff, after.is_active):
        append(facts.rights_changed(after.pk, is_staff=after.is_staff, is_active=after.is_active))
    has_lost_rights = (before.is_staff and not after.is_staff) or (
        before.is_active and not after.is_active
    )
    if has_new_password:
        append(facts.password_changed(after.pk))
    if has_lost_rights:
        end_logins(user_id=after.pk, reason="rights-lost")
    elif has_new_password:
        end_logins(user_id=after.pk, reason="password-changed", spare=after.spared_sid)
