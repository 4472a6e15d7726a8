"""`operations/departures/<id>/blocks/`: staff keep seats out of sale, and give them back."""

import msgspec
from django.http import HttpRequest, HttpResponse

from config.http.body import read_json
from reservations.api.bodies import BlockBody, BlockedBody
from reservations.api.door import answer, door, view
from reservations.services.block_seats import block_seats, unblock_seats
from users.tokens import Caller

_block_body = msgspec.json.Decoder(BlockBody)


@door("staff", "staff")
def _block(request: HttpRequest, caller: Caller, departure: int) -> HttpResponse:
    body = read_json(request, _block_body)
    done = block_seats(
        actor=caller.user_id, departure=departure, seats=body.seats, reason=body.reason
    )
    return answer(BlockedBody(done.departure, done.seats))


@door("staff", "staff")
def _unblock(request: HttpRequest, caller: Caller, departure: int) -> HttpResponse:
    body = read_json(request, _block_body)
    done = unblock_seats(
        actor=caller.user_id, departure=departure, seats=body.seats, reason=body.reason
    )
    return answer(BlockedBody(done.departure, done.seats))


blocks = view(POST=_block, DELETE=_unblock)
