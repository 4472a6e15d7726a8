"""What the OpenAPI document says of every operation by rule, so that no view can forget to.

A drf-spectacular postprocessing hook, the last one: it finds all operations, DRF's and the plain
ones, and completes each with the errors that its own form makes possible (a body may be too large,
a keyed request may still run), an example for every error, the headers that come with it, and one
tag by its place.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from config.http.body import INT64_MAX
from config.http.openapi import API_PREFIX
from config.http.pagination import DEFAULT_LIMIT, MAX_LIMIT
from config.http.problems import PROBLEM_JSON
from config.http.schema import IDEMPOTENCY_KEY, problem_examples

_METHODS: Final = ("get", "put", "post", "patch", "delete")
_SCHEMA: Final = {"$ref": "#/components/schemas/ProblemDocument"}

# First part of the path under /api/v1/ -> tag; the order is the order of the pages.
_TAGS: Final = {
    "auth": "Accounts",
    "stations": "Timetable",
    "trains": "Timetable",
    "departures": "Departures",
    "vehicles": "Timetable",
    "reservations": "Reservations",
    "payments": "Payments",
    "tickets": "Tickets",
    "agents": "Agents",
    "analytics": "Analytics",
    "operations": "Operations",
}
_OPEN_READING: Final = ("stations", "trains", "departures")
_OTHER_TAG: Final = "Health"
_ABOUT_TAGS: Final = {
    "Accounts": "Register, log in, refresh, log out. `Authorization: Bearer <access>` elsewhere.",
    "Timetable": "Stations, trains and vehicle templates. Reading is open, writing is for staff.",
    "Departures": "Search, seat maps, and single runs of a train.",
    "Reservations": "Lock seats for three minutes, extend or release the hold, confirm, cancel.",
    "Payments": "Pay for a hold; the money becomes a booking or goes back. Gateways' webhooks.",
    "Tickets": "The ticket of a booking: page, PDF, calendar file; checking it at the gate.",
    "Agents": "For staff and machines who book for customers.",
    "Analytics": "Reports over facts and requests. Staff only.",
    "Operations": "The desk of the staff: live holds, any booking, the trail. Staff only.",
    "Health": "For load balancers and monitoring. No token.",
}
_PAGE: Final = {
    "limit": {
        "description": f"Rows, {DEFAULT_LIMIT} unless told, at most {MAX_LIMIT}.",
        "schema": {
            "type": "integer",
            "minimum": 1,
            "maximum": INT64_MAX,
            "default": DEFAULT_LIMIT,
        },
    },
    "offset": {
        "description": "How many rows to leave out first.",
        "schema": {"type": "integer", "minimum": 0, "maximum": INT64_MAX, "default": 0},
    },
}
_HEADERS: Final = {
    401: {"WWW-Authenticate": "`Bearer`."},
    429: {"Retry-After": "Seconds to wait."},
    503: {"Retry-After": "Seconds to wait."},
}


def complete_operations(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook."""
    del generator, request, public
    for path, method, operation in _operations(result):
        operation["tags"] = [_tag(path)]
        if method == "get" and _first_part(path) in _OPEN_READING:
            operation["security"] = [{}, {"bearer": []}]
        if path.startswith(API_PREFIX):
            for code in _codes_by_form(operation):
                _add_problem(operation, code)
            _name_a_real_field(operation, result["components"]["schemas"])
        _name_examples_by_code(operation)
        _say_how_to_page(operation)
        _say_what_may_be_empty(operation)
        _add_headers(operation)
        _say_phrases(operation)
        operation["responses"] = dict(sorted(operation["responses"].items()))
    used = {tag for _, _, operation in _operations(result) for tag in operation["tags"]}
    result["tags"] = [
        {"name": name, "description": about} for name, about in _ABOUT_TAGS.items() if name in used
    ]
    return result


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield path, method, methods[method]


def _tag(path: str) -> str:
    if not path.startswith(API_PREFIX):
        return _OTHER_TAG
    return _TAGS[_first_part(path)]


def _first_part(path: str) -> str:
    return path.removeprefix(API_PREFIX).split("/", 1)[0]


def _codes_by_form(operation: dict[str, Any]) -> list[str]:
    """The codes an operation may answer because of what it takes."""
    parameters = operation.get("parameters", [])
    places = {parameter["in"] for parameter in parameters}
    codes = ["not-authenticated", "token-expired", "throttled", "internal", "unavailable"]
    if "requestBody" in operation:
        codes += ["invalid", "too-large", "unsupported-media-type"]
    if "query" in places:
        codes.append("invalid")
    if "path" in places:
        codes.append("not-found")
    if _is_keyed(operation):
        codes += ["idempotency-in-flight", "idempotency-key-reused"]
    return codes


def _is_keyed(operation: dict[str, Any]) -> bool:
    return any(p["name"] == IDEMPOTENCY_KEY.name for p in operation.get("parameters", []))


def _add_problem(operation: dict[str, Any], code: str) -> None:
    document = problem_examples([code])[code]
    response = operation["responses"].setdefault(
        str(document["status"]), {"description": HTTPStatus(document["status"]).phrase}
    )
    content = response.setdefault("content", {}).setdefault(PROBLEM_JSON, {"schema": _SCHEMA})
    examples = content.setdefault("examples", {})
    if code not in {each["value"]["code"] for each in examples.values()}:
        examples[code] = {"value": document}


def _name_examples_by_code(operation: dict[str, Any]) -> None:
    """drf-spectacular writes `Token-expired` and a summary; the code is name enough."""
    for response in operation["responses"].values():
        content = response.get("content", {}).get(PROBLEM_JSON)
        if content is not None:
            values = [each["value"] for each in content["examples"].values()]
            content["examples"] = {value["code"]: {"value": value} for value in values}


def _name_a_real_field(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """The example of `invalid` names a field this very operation has."""
    bad_request = operation["responses"].get("400")
    if bad_request is None:
        return
    errors = _example_errors(operation, schemas)
    examples = bad_request["content"][PROBLEM_JSON]["examples"]
    examples.update({name: _with_errors(each, errors) for name, each in examples.items()})


def _with_errors(example: dict[str, Any], errors: dict[str, list[str]]) -> dict[str, Any]:
    if example["value"]["code"] != "invalid":
        return example
    said = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in errors.items())
    return {**example, "value": {**example["value"], "detail": said, "errors": errors}}


def _example_errors(operation: dict[str, Any], schemas: dict[str, Any]) -> dict[str, list[str]]:
    if "requestBody" in operation:
        (content, *_) = operation["requestBody"]["content"].values()
        required = _resolved(content["schema"], schemas).get("required", [])
        return {required[0]: ["This field is required."]} if required else {"body": ["Not JSON."]}
    query = [p for p in operation.get("parameters", []) if p["in"] == "query"]
    return {query[0]["name"] if query else "body": ["Not a valid value."]}


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema or "oneOf" in schema:
        if "oneOf" in schema:
            schema = schema["oneOf"][0]
        else:
            schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _say_how_to_page(operation: dict[str, Any]) -> None:
    """Lists take `limit` and `offset`, all alike."""
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    if names >= _PAGE.keys():
        for parameter in operation["parameters"]:
            parameter.update(_PAGE.get(parameter["name"], {}))


def _say_what_may_be_empty(operation: dict[str, Any]) -> None:
    """`?since=` is what a form sends for a field left empty: the same as leaving it out."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query" and not parameter.get("required"):
            parameter["allowEmptyValue"] = True


def _say_phrases(operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        response["description"] = response["description"] or HTTPStatus(int(status)).phrase


def _add_headers(operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        wanted = dict(_HEADERS.get(int(status), {}))
        if _is_keyed(operation) and int(status) < 300:
            wanted["Idempotency-Replayed"] = "`true` on an answer that was given before."
        if wanted:
            headers = response.setdefault("headers", {})
            for name, about in wanted.items():
                headers.setdefault(name, {"description": about, "schema": {"type": "string"}})
