"""The kept answer of a lock that carried an `Idempotency-Key`: sent again as it was, for 24 hours.

Key, effect and answer live in one store and are lost together (rule 9). Kept is what decided
something: success, 409, 410, 422, as for every other keyed call (`config.idempotency.services`).
"""

from collections.abc import Callable

import msgspec
from django.http import HttpResponse

from config.errors import SeatlockError
from config.http.problems import render
from config.idempotency.services import KEPT_REFUSALS
from config.stores import keys
from config.stores.redis import as_bytes, holds_store
from reservations.holds.store import ANSWER_KEPT_MS


def once(hold: str, departure: int, work: Callable[[], HttpResponse]) -> HttpResponse:
    """The answer kept under this hold id, or that of `work`, which is then kept."""
    name = keys.body(keys.shard(departure), hold)
    kept = as_bytes(holds_store().get(name))
    if kept is not None:
        return _replay(kept)
    try:
        response = work()
    except SeatlockError as refused:
        if refused.problem.status not in KEPT_REFUSALS:
            raise
        response = render(refused)
    first = keep(name, response)
    return response if first is None else _replay(first)


def keep(name: str, response: HttpResponse) -> bytes | None:
    """Keep it unless an answer is kept already, which is then given."""
    sent = msgspec.msgpack.encode(
        (response.status_code, response["Content-Type"], response.content)
    )
    return as_bytes(holds_store().set(name, sent, nx=True, get=True, px=ANSWER_KEPT_MS))


def _replay(kept: bytes) -> HttpResponse:
    status, content_type, body = msgspec.msgpack.decode(kept, type=tuple[int, str, bytes])
    response = HttpResponse(body, status=status, content_type=content_type)
    response["Idempotency-Replayed"] = "true"
    return response
