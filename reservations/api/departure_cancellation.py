"""`operations/departures/<id>/cancel/`: staff cancel a whole departure, and see how far that is."""

from datetime import datetime
from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse

from config.http.body import read_json
from reservations.api.door import answer, door, view
from reservations.services.cancel_departure import Progress, cancel_departure, progress_of
from users.tokens import Caller


class WithdrawBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it does not run: it is kept, and told to nobody but staff."""

    reason: Annotated[str, msgspec.Meta(min_length=3, max_length=200)]


class ProgressBody(msgspec.Struct, frozen=True):
    """`left` bookings are still to be cancelled; `refunds`: what goes back so far, by currency."""

    departure: int
    reason: str
    began_at: datetime
    status: str
    cancelled: int
    left: int
    refunds: dict[str, str]


_decode = msgspec.json.Decoder(WithdrawBody)


@door("staff", "staff")
def _cancel(request: HttpRequest, caller: Caller, departure: int) -> HttpResponse:
    body = read_json(request, _decode)
    done = cancel_departure(departure=departure, actor=caller.user_id, reason=body.reason)
    return answer(_body(done), 202)


@door("staff", "staff")
def _progress(request: HttpRequest, caller: Caller, departure: int) -> HttpResponse:
    del request, caller
    return answer(_body(progress_of(departure)))


def _body(progress: Progress) -> ProgressBody:
    return ProgressBody(
        departure=progress.departure,
        reason=progress.reason,
        began_at=progress.began_at,
        status="done" if progress.is_done else "under-way",
        cancelled=progress.cancelled,
        left=progress.left,
        refunds=progress.refunds,
    )


cancellation = view(GET=_progress, POST=_cancel)
