"""What is somebody's: a hold, a booking, a login, and so on; for the matrix of P6."""

import itertools
import secrets
from decimal import Decimal
from typing import Any

from config import clock
from reservations.payments.models import Difference, Payment, Refund
from reservations.payments.states import RefundState
from tests.engine import Traveller
from trains.models import Departure
from users.minting import mint
from users.models import Login
from users.services.travellers import delete_travellers, save_traveller

_fresh = itertools.count(1)


def belongings(who: Traveller, departure: Departure, *, needs: bool = True) -> dict[str, Any]:
    """What the matrix names, by name, made anew; without `needs` only what is nobody's."""
    wish = {"departure": departure.pk, "source": "AAA", "destination": "CCC"}
    plain = {
        "wish": wish,
        "departure": departure.pk,
        "departure_id": departure.pk,
        "day": departure.service_date.isoformat(),
        "number": departure.train.number,
        "code": "T-SL",
        "owner": who.user.username,
        "prefix": "slk_nobodyhas1",
        "webhook": "00000000-0000-4000-8000-000000000000",
        "message": "msg_0",
        "seat": "C1-8",
        "reseating": 987654,
        "fresh": f"F{next(_fresh)}",
        "provider": "sandbox",
    }
    if not needs:
        return plain
    booked = held(who, wish)
    done = who.post("reservations/confirm/", {"hold": booked["hold"]})
    assert done.status_code == 201, done.content
    hold = held(who, wish)
    return {
        **plain,
        "hold": hold["hold"],
        "capability": hold["capability"],
        "pnr": done.json()["pnr"],
        "entry": waiting(who, wish),
        "traveller": saved(who),
        **money(who, departure),
        "refresh": another_login(who),
    }


def held(who: Traveller, wish: dict[str, Any]) -> dict[str, Any]:
    """A hold of one seat; older ones are given back, so that no limit is met."""
    for old in who.get("reservations/holds/").json()["results"]:
        who.delete(f"reservations/holds/{old['hold']}/")
    answer = who.post("reservations/lock/", {**wish, "travel_class": "SL", "count": 1})
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def money(who: Traveller, departure: Departure) -> dict[str, Any]:
    """A payment with a refund that failed, and a difference over it."""
    payment = Payment.objects.create(
        hold=secrets.token_hex(8),
        owner=who.user,
        departure=departure,
        provider="sandbox",
        amount=Decimal(100),
        currency="INR",
        capability="",
        expires_at=clock.now(),
    )
    refund = Refund.objects.create(
        payment=payment, amount=Decimal(100), reason="x", state=RefundState.FAILED
    )
    difference = Difference.objects.create(
        provider="sandbox", kind="amount", key=secrets.token_hex(8), ours={}, theirs={}
    )
    return {"payment": payment.pk, "refund": refund.pk, "difference": difference.pk}


def waiting(who: Traveller, wish: dict[str, Any]) -> str:
    """An entry of the waitlist; older ones are left, so that no limit is met."""
    for old in who.get("reservations/waitlist/").json()["results"]:
        who.delete(f"reservations/waitlist/{old['entry']}/")
    answer = who.post("reservations/waitlist/", {**wish, "travel_class": "CC", "count": 2})
    assert answer.status_code == 201, answer.content
    entry: str = answer.json()["entry"]
    return entry


def saved(who: Traveller) -> int:
    """A traveller the account saved; older ones are deleted, so that no limit is met."""
    delete_travellers(owner=who.user.pk)
    return save_traveller(owner=who.user.pk, said={"name": "Ravi Rao"}).pk


def another_login(who: Traveller) -> str:
    """The refresh token of a login beside the one the client uses."""
    login = Login(user=who.user, created_at=clock.now(), expires_at=clock.now())
    tokens = mint(user=who.user, sid=login.sid)
    login.refresh_jti, login.expires_at = tokens.refresh_jti, tokens.expires_at
    login.save()
    return tokens.refresh
