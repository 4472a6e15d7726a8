"""Mail that waits in a table, sent with backoff, each for one fact.

    claim a row (FOR UPDATE SKIP LOCKED) -> send -> mark it sent, COMMIT

The row is written in the transaction of the fact it tells of, so a crash between fact and telling
tells later. Two workers never send one mail at the same time, and each is sent once, but for one
case: a crash between the server's "accepted" and our COMMIT sends it again. The second has the same
Message-ID, so that mail programs show one. A mail that was never sent would be worse.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import models, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from config import clock

logger = logging.getLogger(__name__)
FIRST_WAIT: Final = timedelta(seconds=30)
SEND_SECONDS: Final = 4.0
ATTEMPTS_MAX: Final = 10  # the last wait is four hours: some eight and a half in all


class WaitingMail(models.Model):
    """A mail on its way; `event_id` is the fact it tells of, so that it is sent for once.

    The address is looked up when it is sent. `next_at` grows with each attempt that failed;
    `given_up_at`: staff must look at it.
    """

    event_id = models.CharField(max_length=200, unique=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.event_id


M = TypeVar("M", bound=WaitingMail)


def send_due(mails: "QuerySet[M]", send: Callable[[M], object], *, limit: int = 50) -> int:
    """Send what is due, oldest first, by `send`, which raises when it fails; how many were sent.

    At most `limit`, and none is begun after SEND_SECONDS: other work waits for this worker.
    """
    sent, until = 0, time.monotonic() + SEND_SECONDS
    for _ in range(limit):
        if time.monotonic() > until:
            break
        outcome = _send_next(mails, send)
        if outcome is None:
            break
        sent += outcome
    return sent


def message(mail: WaitingMail, *, to: str, subject: str, body: str) -> EmailMessage:
    """The mail's message, with a Message-ID that is the same on every attempt."""
    return EmailMessage(
        subject=subject,
        body=body,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[to],
        headers={"Message-ID": f"<{mail.event_id.replace(':', '.')}@seatlock>"},
    )


def _send_next(mails: "QuerySet[M]", send: Callable[[M], Any]) -> bool | None:
    """Whether the next mail that is due was sent; None if none is."""
    with transaction.atomic():
        mail = (
            mails.select_for_update(skip_locked=True, of=("self",))
            .filter(sent_at=None, given_up_at=None, next_at__lte=clock.now())
            .order_by("next_at")
            .first()
        )
        if mail is None:
            return None
        try:
            with transaction.atomic():
                send(mail)
        except Exception as error:  # noqa: BLE001  # whatever a mail server may raise: again later
            _put_off(mail, error)
            return False
        mail.sent_at = clock.now()
        mail.save(update_fields=["sent_at"])
        return True


def _put_off(mail: WaitingMail, error: Exception) -> None:
    """Try again later. What the mail server said may hold an address: only its kind is logged."""
    mail.attempts += 1
    what = type(error).__name__
    logger.warning("mail %s was not sent, attempt %d: %s", mail.event_id, mail.attempts, what)
    if mail.attempts >= ATTEMPTS_MAX:
        mail.given_up_at = clock.now()
    mail.next_at = clock.now() + FIRST_WAIT * 2 ** (mail.attempts - 1)
    mail.save(update_fields=["attempts", "next_at", "given_up_at"])
