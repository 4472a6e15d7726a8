"""What leads where: OpenAPI links from an answer to the calls that take what it gave.

    register -> login -> refresh, logout
    search -> departure, seats, lock -> hold, extend, release, confirm -> booking, cancel

A drf-spectacular postprocessing hook. Operations are named by their ids; one that is not there is
an error when the document is made.
"""

from collections.abc import Mapping
from typing import Any, Final


def _to(operation: str, body: Any = None, **parameters: str) -> dict[str, Any]:
    """A link: where to, with which body, with which parameters (`x` in the answer is `#/x`)."""
    return {
        "operationId": operation,
        **({"parameters": {k: _given(v) for k, v in parameters.items()}} if parameters else {}),
        **({"requestBody": _given(body)} if body is not None else {}),
    }


def _given(value: Any) -> Any:
    """Short forms as runtime expressions: `#/x` of the answer, `sent#/x` of the body sent."""
    if isinstance(value, dict):
        return {name: _given(inner) for name, inner in value.items()}
    if isinstance(value, str) and value.startswith("#/"):
        return f"$response.body{value}"
    if isinstance(value, str) and value.startswith("sent#/"):
        return f"$request.body{value.removeprefix('sent')}"
    return value


def _of_departure(pointer: str) -> list[dict[str, Any]]:
    return [
        _to("show_departure", departure_id=pointer),
        _to("show_seats", departure_id=pointer),
    ]


_TOKEN: Final = {"refresh": "#/refresh"}
_HOLD: Final = {"hold": "#/hold"}
_OF_HOLD: Final = [
    _to("show_hold", **_HOLD),
    _to("extend_hold", **_HOLD),
    _to("release_hold", **_HOLD),
    _to("confirm_hold", {"hold": "#/hold", "capability": "#/capability", "passengers": []}),
]
_OF_BOOKING: Final = [
    _to("show_booking", pnr="#/pnr"),
    _to("cancel_booking", {"seats": None}, pnr="#/pnr"),
    _to("show_departure", departure_id="#/departure"),
]
_LOCK_FOUND: Final = _to(
    "lock_seats",
    {
        "departure": "#/results/0/departure",
        "source": "$request.query.source",
        "destination": "$request.query.destination",
        "count": 1,
        "seats": [],
        "travel_class": None,
    },
)

# Operation -> status -> links.
_LINKS: Final[Mapping[str, Mapping[str, list[dict[str, Any]]]]] = {
    "register": {
        "201": [_to("login", {"username": "sent#/username", "password": "sent#/password"})]
    },
    "login": {"200": [_to("refresh", _TOKEN), _to("logout", _TOKEN)]},
    "refresh": {"200": [_to("refresh", _TOKEN), _to("logout", _TOKEN)]},
    "search_departures": {"200": [*_of_departure("#/results/0/departure"), _LOCK_FOUND]},
    "lock_seats": {"201": [*_OF_HOLD, _to("staff_release_hold", **_HOLD)]},
    "extend_hold": {"200": _OF_HOLD},
    "list_holds": {"200": [_to("show_hold", hold="#/results/0/hold")]},
    "confirm_hold": {"200": _OF_BOOKING, "201": _OF_BOOKING},
    "list_bookings": {"200": [_to("show_booking", pnr="#/results/0/pnr")]},
    "cancel_booking": {"200": [_to("show_booking", pnr="#/pnr")]},
    "trains_list": {"200": [_to("trains_retrieve", number="#/results/0/number")]},
    "trains_create": {
        "201": [
            _to("trains_retrieve", number="#/number"),
            _to("trains_partial_update", number="#/number"),
            _to("departures_create", {"train": "#/number"}),
        ]
    },
    "departures_create": {
        "201": [
            *_of_departure("#/departure"),
            _to("departures_partial_update", departure_id="#/departure"),
            _to("departures_generate_seats_create", departure_id="#/departure"),
            _to("block_seats", departure="#/departure"),
            _to("unblock_seats", departure="#/departure"),
        ]
    },
    "vehicles_create": {
        "201": [
            _to("vehicles_retrieve", code="#/code"),
            _to("vehicles_partial_update", code="#/code"),
        ]
    },
    "staff_holds": {"200": [_to("staff_release_hold", hold="#/results/0/hold")]},
}


def add_links(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook. A KeyError: an operation or status is gone."""
    del generator, request, public
    operations = {
        operation["operationId"]: operation
        for methods in result["paths"].values()
        for operation in methods.values()
        if isinstance(operation, dict) and "operationId" in operation
    }
    for name, by_status in _LINKS.items():
        for status, links in by_status.items():
            response = operations[name]["responses"][status]
            response["links"] = {link["operationId"]: link for link in links}
    unknown = {link["operationId"] for link in _all()} - operations.keys()
    if unknown:
        raise KeyError(f"links lead to no operation: {sorted(unknown)}")
    return result


def _all() -> list[dict[str, Any]]:
    return [link for by in _LINKS.values() for links in by.values() for link in links]
