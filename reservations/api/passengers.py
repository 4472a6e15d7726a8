"""`reservations/passengers/`: personal data of my bookings, erased by their owner."""

from django.http import HttpRequest, HttpResponse

from reservations.api.bodies import ErasedBody
from reservations.api.door import answer, door, view
from reservations.services.erase_passengers import erase_passengers
from users.tokens import Caller


@door("write")
def _erase(request: HttpRequest, caller: Caller) -> HttpResponse:
    del request
    return answer(ErasedBody(erase_passengers(user=caller.user_id, actor=caller.user_id)))


passengers = view(DELETE=_erase)
