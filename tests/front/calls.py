"""The calls of the OpenAPI document, with a body for each, so that a new call is tried at once."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml
from django.test import Client

from config.embedded.places import CHECKOUT

DOCUMENT: Final[dict[str, Any]] = yaml.safe_load((CHECKOUT / "docs/openapi.yaml").read_text())
_PREFIX: Final = "/api/v1/"
Place = tuple[str | int, ...]  # where in a body: ("passengers", 0, "name")


# What names nothing, where it is not a number or free text.
NOBODYS: Final = dict.fromkeys(("payment", "refund"), "00000000-0000-4000-8000-000000000000")


@dataclass(frozen=True)
class Call:
    """One operation. `body` is a schema, resolved; None without one."""

    name: str
    method: str
    path: str
    is_open: bool
    body: dict[str, Any] | None
    path_names: tuple[str, ...]
    query_names: tuple[str, ...]

    def send(
        self,
        client: Client,
        body: bytes = b"",
        *,
        query: str = "",
        content_type: str = "application/json",
        **path: Any,
    ) -> Any:
        """Send it; parts of the path that are not given are nobody's."""
        names = {name: path.get(name, NOBODYS.get(name, "1")) for name in self.path_names}
        url = self.path.format(**names) + (f"?{query}" if query else "")
        return client.generic(self.method, url, body, content_type=content_type)


def calls() -> list[Call]:
    """All operations below `/api/v1/`."""
    return [
        _call(method, path, operation)
        for path, methods in DOCUMENT["paths"].items()
        if path.startswith(_PREFIX)
        for method, operation in methods.items()
    ]


def _call(method: str, path: str, operation: dict[str, Any]) -> Call:
    parameters = operation.get("parameters", [])
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")

    def names(where: str) -> tuple[str, ...]:
        return tuple(each["name"] for each in parameters if each["in"] == where)

    return Call(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        is_open={} in operation.get("security", [{}]),
        body=None if content is None else resolved(content["schema"]),
        path_names=names("path"),
        query_names=names("query"),
    )


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with its references followed; of alternatives, the first that is not null."""
    while True:
        if "$ref" in schema:
            schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
            continue
        for word in ("oneOf", "anyOf", "allOf"):
            if word in schema:
                schema = schema[word][0]
                break
        else:
            return schema


def sample(schema: dict[str, Any], known: dict[str, Any], name: str = "") -> Any:
    """A value that fits; `known` has the values of members by name."""
    if name in known:
        return known[name]
    schema = resolved(schema)
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "object":
        return {
            member: sample(inner, known, member)
            for member, inner in schema.get("properties", {}).items()
        }
    if kind == "array":
        return [sample(schema.get("items", {}), known, name)] * max(1, schema.get("minItems", 1))
    return {"string": "x", "integer": 1, "number": 1.5, "boolean": True}[kind]


def texts(value: Any, place: Place = ()) -> Iterator[Place]:
    """Where texts stand in a body."""
    if isinstance(value, str):
        yield place
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from texts(inner, (*place, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts(inner, (*place, index))


def replaced(value: Any, place: Place, by: Any) -> Any:
    """A copy of the body with another value there."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = by
    return copy
