# ruff: noqa: INP001  # a script, not a package
"""The calls of the collection's flow: which, in which order, what is kept of the answers."""

from dataclasses import dataclass, field
from typing import Any, Final

VARIABLES: Final = {
    "baseUrl": "http://127.0.0.1:8000",
    "source": "HBC",
    "destination": "CRB",
    "travel_class": "SL",
    "staff_username": "admin",
    "staff_password": "seatlock-admin",
}
_NEW_ACCOUNT: Final = (
    'const name = "postman-" + Date.now() + "-" + Math.floor(Math.random() * 1e6);',
    'pm.collectionVariables.set("username", name);',
    'pm.collectionVariables.set("email", name + "@example.org");',
    'pm.collectionVariables.set("password", "tea-at-the-harbour");',
)
_IN_THREE_DAYS: Final = (
    "const day = new Date(Date.now() + 3 * 24 * 3600 * 1000).toISOString().slice(0, 10);",
    'pm.collectionVariables.set("date", day);',
)
_NEW_KEY: Final = ('pm.collectionVariables.set("key", pm.variables.replaceIn("{{$guid}}"));',)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request of the flow. `keep`: collection variable -> where it is in the answer."""

    operation: str
    expect: int
    name: str = ""
    as_: str = "access"  # whose token; "" sends none
    body: dict[str, Any] | None = None
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    keep: dict[str, str] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    key: str = ""


_LOGIN: Final = {"username": "{{username}}", "password": "{{password}}"}
_STAFF_LOGIN: Final = {"username": "{{staff_username}}", "password": "{{staff_password}}"}
_LOCK: Final = {
    "departure": "{{departure}}",
    "source": "{{source}}",
    "destination": "{{destination}}",
    "travel_class": "{{travel_class}}",
    "count": 2,
    "preference": "together",
}
_SAME_HOLD: Final = 'pm.expect(answer.hold).to.eql(pm.collectionVariables.get("hold"));'
_SAME_PNR: Final = 'pm.expect(answer.pnr).to.eql(pm.collectionVariables.get("pnr"));'
_TWO_SEATS: Final = "pm.expect(answer.seats).to.have.lengthOf(2);"
_HOLD: Final = {"hold": "{{hold}}"}
_PNR: Final = {"pnr": "{{pnr}}"}


def _code(code: str) -> str:
    return f'pm.expect(answer.code).to.eql("{code}");'


FLOW: Final = (
    Call(operation="live", expect=200, as_=""),
    Call(
        operation="ready",
        expect=200,
        as_="",
        checks=("pm.expect(answer.stores.postgresql.is_up).to.be.true;",),
    ),
    Call(
        operation="register",
        expect=201,
        as_="",
        before=_NEW_ACCOUNT,
        body={**_LOGIN, "email": "{{email}}", "first_name": "Asha"},
        checks=('pm.expect(answer.role).to.eql("user");',),
    ),
    Call(
        operation="login",
        expect=200,
        as_="",
        body=_LOGIN,
        keep={"access": "access", "refresh": "refresh"},
    ),
    Call(
        operation="login",
        name="Log in with a wrong password",
        expect=401,
        as_="",
        body={**_LOGIN, "password": "not-this-one"},
        checks=(_code("not-authenticated"),),
    ),
    Call(operation="read_profile", expect=200),
    Call(
        operation="refresh",
        expect=200,
        as_="",
        body={"refresh": "{{refresh}}"},
        keep={"access": "access", "refresh": "refresh"},
    ),
    Call(
        operation="stations_list",
        expect=200,
        as_="",
        query={"q": "{{source}}"},
        checks=('pm.expect(answer.results[0].code).to.eql(pm.collectionVariables.get("source"));',),
    ),
    Call(
        operation="search_departures",
        expect=200,
        as_="",
        before=_IN_THREE_DAYS,
        query={
            "source": "{{source}}",
            "destination": "{{destination}}",
            "date": "{{date}}",
            "travel_class": "{{travel_class}}",
            "seats": "2",
        },
        keep={"departure": "results[0].departure"},
        checks=("pm.expect(answer.results[0].free).to.be.at.least(2);",),
    ),
    Call(operation="show_departure", expect=200, as_="", path={"departure_id": "{{departure}}"}),
    Call(
        operation="show_seats",
        expect=200,
        path={"departure_id": "{{departure}}"},
        query={"source": "{{source}}", "destination": "{{destination}}"},
    ),
    Call(
        operation="lock_seats",
        expect=201,
        before=_NEW_KEY,
        key="{{key}}",
        body=_LOCK,
        keep={"hold": "hold", "seat": "seats[0]"},
        checks=('pm.expect(answer.status).to.eql("held");', _TWO_SEATS),
    ),
    Call(
        operation="lock_seats",
        name="Lock again with the same key: the first answer again",
        expect=201,
        key="{{key}}",
        body=_LOCK,
        checks=(
            _SAME_HOLD,
            'pm.expect(pm.response.headers.get("Idempotency-Replayed")).to.eql("true");',
        ),
    ),
    Call(
        operation="lock_seats",
        name="Lock a seat that is taken",
        expect=409,
        body={**_LOCK, "seats": ["{{seat}}"], "count": None, "travel_class": None},
        checks=(
            _code("seat-unavailable"),
            'pm.expect(answer.seats).to.include(pm.collectionVariables.get("seat"));',
        ),
    ),
    Call(
        operation="lock_seats",
        name="Lock on a departure that is not there",
        expect=404,
        body={**_LOCK, "departure": 140000000000000},
        checks=(_code("not-found"),),
    ),
    Call(operation="list_holds", expect=200, checks=("pm.expect(answer.count).to.eql(1);",)),
    Call(operation="show_hold", expect=200, path=_HOLD, checks=(_SAME_HOLD,)),
    Call(operation="extend_hold", expect=200, path=_HOLD, checks=(_SAME_HOLD,)),
    Call(
        operation="lock_seats",
        name="Lock one more seat",
        expect=201,
        body={**_LOCK, "count": 1},
        keep={"spare": "hold"},
    ),
    Call(operation="release_hold", expect=204, path={"hold": "{{spare}}"}),
    Call(
        operation="release_hold",
        name="Release it again: harmless",
        expect=204,
        path={"hold": "{{spare}}"},
    ),
    Call(
        operation="confirm_hold",
        expect=201,
        body={
            **_HOLD,
            "passengers": [{"name": "Asha Rao", "age": 31}, {"name": "Ravi Rao", "age": 33}],
        },
        keep={"pnr": "pnr"},
        checks=('pm.expect(answer.status).to.eql("confirmed");', _TWO_SEATS),
    ),
    Call(
        operation="confirm_hold",
        name="Confirm again: the same booking",
        expect=200,
        body=dict(_HOLD),
        checks=(_SAME_PNR,),
    ),
    Call(operation="list_bookings", expect=200, checks=("pm.expect(answer.count).to.eql(1);",)),
    Call(operation="show_booking", expect=200, path=_PNR, checks=(_SAME_PNR,)),
    Call(
        operation="cancel_booking",
        expect=200,
        path=_PNR,
        body={},
        checks=('pm.expect(answer.status).to.eql("cancelled");',),
    ),
    Call(
        operation="cancel_booking",
        name="Cancel again: refused",
        expect=409,
        path=_PNR,
        body={},
        checks=(_code("illegal-state"), 'pm.expect(answer.state).to.eql("cancelled");'),
    ),
    Call(
        operation="top_routes",
        name="Staff calls are not for travellers",
        expect=403,
        checks=(_code("forbidden"),),
    ),
    Call(
        operation="login",
        name="Log in as staff",
        expect=200,
        as_="",
        body=_STAFF_LOGIN,
        keep={"staff_access": "access"},
        checks=('pm.expect(answer.user.role).to.eql("admin");',),
    ),
    *(
        Call(operation=operation, expect=200, as_="staff_access")
        for operation in (
            "dashboard",
            "statistics",
            "staff_holds",
            "top_routes",
            "funnel",
            "latency",
            "occupancy",
            "demand",
            "trains_list",
            "vehicles_list",
        )
    ),
    Call(
        operation="staff_bookings",
        expect=200,
        as_="staff_access",
        query=_PNR,
        checks=("pm.expect(answer.count).to.eql(1);",),
    ),
    Call(operation="audit", expect=200, as_="staff_access", query=_PNR),
    Call(operation="logout", expect=204, body={"refresh": "{{refresh}}"}),
    Call(
        operation="read_profile",
        name="After logout the token is dead",
        expect=401,
        checks=(_code("not-authenticated"),),
    ),
    Call(
        operation="metrics",
        expect=200,
        as_="",
        checks=('pm.expect(pm.response.text()).to.include("seatlock_requests_total");',),
    ),
)
