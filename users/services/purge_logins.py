"""Forget logins whose tokens are all dead."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db.models import Q

from config import clock
from users.models import Login

BATCH: Final = 5000


def purge_logins() -> int:
    """Delete logins that ran out or were ended, one access token lifetime ago; how many.

    In bounded statements, so that no reader waits. A login that is gone counts as ended. Those of
    API keys stay: staff look at what was revoked.
    """
    before = clock.now() - timedelta(seconds=settings.ENV.access_token_seconds)
    over = Login.objects.filter(Q(expires_at__lt=before) | Q(ended_at__lt=before), api_key=None)
    deleted = 0
    while batch := list(over.values_list("sid", flat=True)[:BATCH]):
        deleted += Login.objects.filter(sid__in=batch).delete()[0]
    return deleted
