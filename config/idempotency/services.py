"""A request sent twice has one effect and one answer, for everything that writes PostgreSQL.

    first                              second (same key)
    -----                              -----------------
    BEGIN; INSERT key
    the effect                         BEGIN; INSERT key … waits for the first
    UPDATE key: the answer
    COMMIT ──────────────────────────► sees the row: gives its answer again
                                       (waited too long: 409 idempotency-in-flight)

The key's row is written in the transaction of its effect, so a crash leaves both or neither.

*What is kept.* A success, and a refusal that decided something: 409, 410 and 422. After those the
same request must not suddenly succeed, because the client may have told somebody. Not kept: what
never began (400, 401, 403, 404, 413, 415, 429), what failed on our side (5xx), and 402, which
asks the client to pay and send the same request again. The IETF draft
(`idempotency-key-header`) leaves this choice to the resource.

Used as a whole by `once`; a caller with one SQL statement of its own (confirm) writes the row
itself, with `find` before it, and after it when the row's unique index refused.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.utils import OperationalError
from psycopg import errors as pg

from config import clock
from config.errors import IdempotencyInFlight, IdempotencyKeyReused, SeatlockError
from config.http.problems import document_of
from config.idempotency.models import IdempotencyKey

KEPT_SECONDS: Final = 24 * 3600
WAIT_MILLISECONDS: Final = 1500
KEPT_REFUSALS: Final = frozenset({409, 410, 422})
PURGE_BATCH: Final = 5000


@dataclass(frozen=True, slots=True)
class Answer:
    """What was, or will be, sent: HTTP status and JSON document. `is_replay`: not the first."""

    status: int
    body: Any
    is_replay: bool = False


def find(*, user_id: int, key: str, fingerprint: str) -> Answer | None:
    """The kept answer to this request, or None. One query.

    Raises `IdempotencyKeyReused` when the key was used for another request.
    """
    kept = (
        IdempotencyKey.objects.filter(user_id=user_id, key=key, created_at__gt=_oldest())
        .values_list("fingerprint", "status", "body")
        .first()
    )
    if kept is None:
        return None
    if kept[0] != fingerprint:
        raise IdempotencyKeyReused
    return Answer(status=kept[1], body=json.loads(kept[2]), is_replay=True)


def once(*, user_id: int, key: str, fingerprint: str, act: Callable[[], Answer]) -> Answer:
    """Run `act` in a transaction that also keeps its answer, or give the kept answer again.

    A `SeatlockError` of `act` undoes what `act` wrote and is raised again; if it decided
    something it is kept, and a repeat gets it as an `Answer`. Raises `IdempotencyKeyReused`,
    and `IdempotencyInFlight` when the first request with this key still runs after 1.5 s.
    """
    refused: SeatlockError | None = None
    with transaction.atomic():
        row = _claim(user_id, key, fingerprint)
        if row is None:
            answer = find(user_id=user_id, key=key, fingerprint=fingerprint)
            if answer is None:  # kept until a moment ago, purged or rolled back since
                raise IdempotencyInFlight
            return answer
        try:
            with transaction.atomic():
                answer = act()
        except SeatlockError as error:
            if error.problem.status not in KEPT_REFUSALS:
                raise
            refused = error
            answer = Answer(int(error.problem.status), document_of(error))
        IdempotencyKey.objects.filter(pk=row).update(
            status=answer.status, body=json.dumps(answer.body, ensure_ascii=False)
        )
    if refused is not None:
        raise refused
    return answer


def keep_refusal(refused: SeatlockError, *, user_id: int, key: str, fingerprint: str) -> None:
    """Keep a refusal that decided something, for a caller that writes its own row on success."""
    if refused.problem.status in KEPT_REFUSALS:
        answer = Answer(int(refused.problem.status), document_of(refused))
        keep(answer, user_id=user_id, key=key, fingerprint=fingerprint)


def keep(answer: Answer, *, user_id: int, key: str, fingerprint: str) -> None:
    """Keep an answer after its effect, for a caller whose effect finds itself when repeated.

    A key that is known already keeps its first answer.
    """
    body = json.dumps(answer.body, ensure_ascii=False)
    values = _row(user_id, key, fingerprint, answer.status, body)
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)


def forget_expired(*, user_id: int, key: str) -> bool:
    """Delete the key's row if it outlived its 24 hours and was not purged yet; whether it was."""
    over = IdempotencyKey.objects.filter(user_id=user_id, key=key, created_at__lte=_oldest())
    return over.delete()[0] > 0


def purge_keys() -> int:
    """Forget answers older than 24 hours, in bounded statements; how many."""
    over = IdempotencyKey.objects.filter(created_at__lte=_oldest()).order_by("created_at")
    deleted = 0
    while batch := list(over.values_list("pk", flat=True)[:PURGE_BATCH]):
        deleted += IdempotencyKey.objects.filter(pk__in=batch).delete()[0]
    return deleted


_CLAIM = """
INSERT INTO idempotency_idempotencykey (user_id, key, fingerprint, status, body, created_at)
VALUES (%(user_id)s, %(key)s, %(fingerprint)s, %(status)s, %(body)s, %(now)s)
ON CONFLICT (user_id, key) DO UPDATE SET
    fingerprint = EXCLUDED.fingerprint, status = EXCLUDED.status, body = EXCLUDED.body,
    created_at = EXCLUDED.created_at
WHERE idempotency_idempotencykey.created_at <= %(oldest)s
RETURNING id
"""


def _claim(user_id: int, key: str, fingerprint: str) -> int | None:
    """The row for this key, ours until COMMIT; None when somebody's answer stands there.

    A row that outlived its 24 hours and was not purged yet is taken over.
    """
    values = _row(user_id, key, fingerprint, 0, "null")
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {WAIT_MILLISECONDS}")
        try:
            cursor.execute(_CLAIM, values)
        except OperationalError as error:
            if isinstance(error.__cause__, pg.LockNotAvailable):
                raise IdempotencyInFlight from None
            raise
        claimed = cursor.fetchone()
        cursor.execute("SET LOCAL lock_timeout = DEFAULT")
    return None if claimed is None else int(claimed[0])


def _row(user_id: int, key: str, fingerprint: str, status: int, body: str) -> Mapping[str, Any]:
    return {
        "user_id": user_id,
        "key": key,
        "fingerprint": fingerprint,
        "status": status,
        "body": body,
        "now": clock.now(),
        "oldest": _oldest(),
    }


def _oldest() -> Any:
    return clock.now() - timedelta(seconds=KEPT_SECONDS)


def forget_answers(*, user_id: int, member: str) -> None:
    """Delete a user's kept answers that have this member: personal data is erased with its row."""
    IdempotencyKey.objects.filter(user_id=user_id, body__contains=f'"{member}"').delete()


def forget_keys_of(*, user_ids: Sequence[int]) -> None:
    """Delete all kept answers of users whose things are somebody else's from now on."""
    IdempotencyKey.objects.filter(user_id__in=user_ids).delete()
