"""The ownership matrix of P6: what each call answers to whom, and what it is asked with."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.urls import URLPattern, URLResolver, get_resolver

from config.http.api_answers import API_PREFIX, methods_of

Given = Mapping[str, Any]  # what there is to name: ids of things that are the owner's
Body = Callable[[Given], dict[str, Any]]

WHO: Final = ("anonymous", "other", "staff", "owner")


@dataclass(frozen=True, kw_only=True)
class Row:
    """The statuses for `WHO`, in order. `body` of what there is; `names` what of the owner's the
    call names: another's must look like one that does not exist. `needs`: something of the owner's
    without naming it in the path.
    """

    answers: tuple[int, int, int, int]
    body: Body | dict[str, Any] = field(default_factory=dict)
    query: str = ""
    names: str = ""
    needs: bool = False

    def body_with(self, given: Given) -> dict[str, Any]:
        return self.body(given) if callable(self.body) else self.body


def everybody(status: int = 200, **more: Any) -> Row:
    return Row(answers=(status,) * 4, **more)


def signed_in(status: int = 200, **more: Any) -> Row:
    """For whoever is signed in, about nobody but himself."""
    return Row(answers=(401, status, status, status), **more)


def owner(status: int, *, names: str, staff: int = 404, other: int = 404, **more: Any) -> Row:
    return Row(answers=(401, other, staff, status), names=names, **more)


def staff(status: int = 200, **more: Any) -> Row:
    return Row(answers=(401, 403, status, 403), **more)


def _lock(given: Given) -> dict[str, Any]:
    return {**given["wish"], "count": 1}


def _confirm(given: Given) -> dict[str, Any]:
    return {"hold": given["hold"], "capability": given["capability"]}


def _new_station(given: Given) -> dict[str, Any]:
    return {"code": given["fresh"], "name": given["fresh"]}


def _new_train(given: Given) -> dict[str, Any]:
    ends = {"source": f"{given['fresh']} A", "destination": f"{given['fresh']} B"}
    return {"number": given["fresh"], "name": "New", "capacity": 4, **ends}


def _new_account(given: Given) -> dict[str, Any]:
    name = given["fresh"]
    return {"username": name, "email": f"{name}@example.org", "password": "knock-knock-8341"}


def _wait(given: Given) -> dict[str, Any]:
    """All chairs but one are blocked, so that there is something to wait for."""
    return {**given["wish"], "travel_class": "CC", "count": 2}


def _blocks(given: Given) -> dict[str, Any]:
    return {"seats": [given["seat"]], "reason": "paint"}


def _key(given: Given) -> dict[str, Any]:
    return {"account": given["owner"], "name": "Desk", "scopes": ["read"]}


CONTACT: Final = {"email": "asha@example.org", "phone_number": "+91 22 5550 1234"}

WEBHOOK: Final = {"url": "https://hooks.example.com/", "events": ["booking.confirmed"]}


MATRIX: Final[dict[str, Row]] = {
    # One's own account; the body says which login
    "POST auth/register/": everybody(201, body=_new_account),
    "POST auth/login/": everybody(401, body={"username": "x", "password": "x"}),
    "POST auth/refresh/": everybody(401, body={"refresh": "x"}),
    "POST auth/logout/": Row(
        answers=(401, 400, 400, 204), body=lambda given: {"refresh": given["refresh"]}, needs=True
    ),
    "GET auth/me/": signed_in(),
    "PATCH auth/me/": signed_in(body={"first_name": "Ann"}),
    "POST auth/password/": signed_in(
        400, body={"old_password": "wrong", "new_password": "knock-knock-8341"}
    ),
    "GET auth/travellers/": signed_in(),
    "POST auth/travellers/": signed_in(201, body={"name": "Asha Rao"}),
    "DELETE auth/travellers/": signed_in(204),
    "GET auth/travellers/<traveller>/": owner(200, names="traveller"),
    "PATCH auth/travellers/<traveller>/": owner(200, names="traveller", body={"name": "Asha"}),
    "DELETE auth/travellers/<traveller>/": owner(204, names="traveller", staff=204, other=204),
    "DELETE reservations/passengers/": signed_in(),
    # People without an account
    "POST auth/guest/": everybody(201, body=CONTACT),
    "POST auth/guest/claims/": signed_in(202, body={"email": "asha@example.org"}),
    "POST auth/guest/claims/confirm/": signed_in(400, body={"code": "x"}),
    "POST agents/customers/": staff(201, body=CONTACT),
    # Holds and bookings: the owner's, and staff's through `operations/`
    "POST reservations/lock/": signed_in(201, body=_lock),
    "GET reservations/holds/": signed_in(),
    "GET reservations/holds/<hold>/": owner(200, names="hold"),
    "DELETE reservations/holds/<hold>/": owner(204, names="hold"),
    "POST reservations/holds/<hold>/extend/": owner(200, names="hold"),
    "POST reservations/confirm/": owner(201, names="hold", body=_confirm),
    "POST reservations/groups/": staff(201, body=_lock),
    "GET reservations/bookings/": signed_in(),
    "GET reservations/bookings/<pnr>/": owner(200, names="pnr"),
    "GET reservations/bookings/<pnr>/cancel/": owner(200, names="pnr", staff=200),
    "POST reservations/bookings/<pnr>/cancel/": owner(200, names="pnr", staff=200),
    "POST operations/bookings/<pnr>/cancel/": staff(body={"reason": "taken ill"}, needs=True),
    "POST reservations/bookings/<pnr>/change/": owner(200, names="pnr", staff=200),
    "GET reservations/waitlist/": signed_in(),
    "POST reservations/waitlist/": signed_in(201, body=_wait),
    "GET reservations/waitlist/<entry>/": owner(200, names="entry", staff=200),
    "DELETE reservations/waitlist/<entry>/": owner(204, names="entry"),
    "GET tickets/<pnr>/": owner(200, names="pnr", staff=200),
    "GET tickets/<pnr>.pdf": owner(200, names="pnr", staff=200),
    "GET tickets/<pnr>.ics": owner(200, names="pnr", staff=200),
    "GET tickets/keys/": everybody(),
    "POST tickets/verify/": staff(body={"token": "x"}),
    # Money: webhooks are known by their signature
    "POST payments/": owner(
        201, names="hold", body=lambda given: {"hold": given["hold"], "provider": "sandbox"}
    ),
    "GET payments/<payment>/": owner(200, names="payment"),
    "POST payments/webhooks/<provider>/": everybody(400),
    "GET operations/payments/": staff(),
    "GET operations/payments/differences/": staff(),
    "POST operations/payments/differences/<difference>/settle/": staff(
        body={"note": "seen"}, needs=True
    ),
    "POST operations/refunds/<refund>/retry/": staff(body={"reason": "asked"}, needs=True),
    # The timetable: everybody reads, staff write
    "GET stations/": everybody(),
    "POST stations/": staff(201, body=_new_station),
    "GET trains/": everybody(),
    "POST trains/": staff(201, body=_new_train),
    "GET trains/<number>/": everybody(),
    "PATCH trains/<number>/": staff(body={"name": "Renamed"}),
    "GET departures/search/": everybody(query="source=AAA&destination=CCC&date={day}"),
    "POST departures/": staff(
        400, body=lambda given: {"train": given["number"], "service_date": given["day"]}
    ),
    "GET departures/<departure_id>/": everybody(),
    "PATCH departures/<departure_id>/": staff(body={"status": "open"}),
    "GET departures/<departure_id>/seats/": everybody(),
    "POST departures/<departure_id>/generate-seats/": staff(),
    "GET vehicles/": staff(),
    "POST vehicles/": staff(400, body={}),
    "PATCH vehicles/": staff(400, body={}),
    "GET vehicles/<code>/": staff(),
    "PATCH vehicles/<code>/": staff(body={"name": "Renamed"}),
    # The desk of the staff
    "GET analytics/top-routes/": staff(),
    "GET analytics/funnel/": staff(),
    "GET analytics/latency/": staff(),
    "GET analytics/occupancy/": staff(),
    "GET analytics/demand/": staff(),
    "GET operations/bookings/": staff(query="pnr={pnr}", needs=True),
    "GET operations/statistics/": staff(),
    "GET operations/dashboard/": staff(),
    "GET operations/holds/": staff(),
    "POST operations/holds/<hold>/release/": staff(body={"reason": "asked"}, needs=True),
    "GET operations/audit/": staff(query="hold={hold}", needs=True),
    "GET operations/keys/": staff(),
    "POST operations/keys/": staff(201, body=_key),
    "GET operations/keys/<prefix>/": staff(404),
    "DELETE operations/keys/<prefix>/": staff(404),
    "GET operations/webhooks/": staff(),
    "POST operations/webhooks/": staff(201, body=WEBHOOK),
    "GET operations/webhooks/<webhook>/": staff(404),
    "PATCH operations/webhooks/<webhook>/": staff(404, body={"enabled": False}),
    "DELETE operations/webhooks/<webhook>/": staff(204),
    "POST operations/webhooks/<webhook>/secret/": staff(404),
    "POST operations/webhooks/<webhook>/replay/": staff(404),
    "GET operations/webhooks/<webhook>/deliveries/": staff(404),
    "POST operations/webhook-deliveries/<message>/replay/": staff(404),
    "POST operations/departures/<departure>/reseatings/": staff(
        201, body={"coaches": [{"coach": "C1"}], "reason": "broken down"}
    ),
    "GET operations/reseatings/<reseating>/": staff(404),
    "DELETE operations/reseatings/<reseating>/": staff(404),
    "POST operations/reseatings/<reseating>/confirm/": staff(404),
    "GET operations/departures/<departure>/cancel/": staff(404),
    "POST operations/departures/<departure>/cancel/": staff(202, body={"reason": "snow"}),
    "POST operations/departures/<departure>/blocks/": staff(body=_blocks),
    "DELETE operations/departures/<departure>/blocks/": staff(body=_blocks),
}


def endpoints() -> set[str]:
    """Every call that can be routed below API_PREFIX: `GET trains/<number>/`.

    The first pattern that matches an address has it, as in Django.
    """
    found: dict[str, list[str]] = {}
    for route, view in _routes(get_resolver()):
        plain = re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", f"/{route}")
        if plain.startswith(API_PREFIX):
            found.setdefault(plain.removeprefix(API_PREFIX), methods_of(view))
    return {f"{method} {route}" for route, methods in found.items() for method in methods}


def _routes(resolver: URLResolver, prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            found.append((prefix + str(entry.pattern), entry.callback))
        else:
            found += _routes(entry, prefix + str(entry.pattern))
    return found
