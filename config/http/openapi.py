"""The plain views' part of the OpenAPI document, made from the very types that parse and answer.

DRF views are described by drf-spectacular. The hot calls are plain views over msgspec types; each
registers an `Operation` here, and `add_plain_operations` (a spectacular postprocessing hook) puts
them into the same document, errors with examples included.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urljoin

import msgspec

from config.http.problems import PROBLEM_JSON
from config.http.schema import IDEMPOTENCY_KEY, problem_examples

API_PREFIX: Final = "/api/v1/"
_REF: Final = "#/components/schemas/{name}"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A query or path parameter; `kind` is a JSON schema type, `form` what else its schema says
    (`{"pattern": …}`).
    """

    name: str
    where: str = "query"
    kind: str = "string"
    required: bool = False
    about: str = ""
    form: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one plain view.

    `path` under /api/v1/, with `{names}`; one that begins with a slash stands as it is. `body`
    and the values of `answers` are msgspec types (None: no content). `problems` are the codes it
    may answer beside those its form makes possible (`openapi_rules`). `example` is a body.
    """

    method: str
    path: str
    name: str
    summary: str
    tag: str
    answers: Mapping[int, Any]
    body: Any = None
    example: Any = None
    problems: Sequence[str] = ()
    parameters: Sequence[Parameter] = ()
    idempotent: bool = False
    open_to_all: bool = False
    description: str = ""
    media_type: str = "application/json"
    answer_examples: Mapping[int, Any] = field(default_factory=dict)


_operations: list[Operation] = []


def describe(*operations: Operation) -> None:
    """Put operations into the API's description."""
    _operations.extend(each for each in operations if each not in _operations)


def add_plain_operations(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook."""
    del generator, request, public
    types = {
        id(each): each
        for operation in _operations
        for each in (operation.body, *operation.answers.values())
        if each is not None
    }
    schemas, components = msgspec.json.schema_components(types.values(), ref_template=_REF)
    schema_of = dict(zip(types, schemas, strict=True))
    known = result.setdefault("components", {}).setdefault("schemas", {})
    known.update(components)
    for operation in _operations:
        paths = result.setdefault("paths", {})
        at = paths.setdefault(urljoin(API_PREFIX, operation.path), {})
        at[operation.method.lower()] = _rendered(operation, schema_of)
    result["paths"] = dict(sorted(result["paths"].items()))
    known_sorted = dict(sorted(known.items()))
    result["components"]["schemas"] = known_sorted
    return result


def _rendered(operation: Operation, schema_of: Mapping[int, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "security": [{}, {"bearer": []}] if operation.open_to_all else [{"bearer": []}],
        "responses": _responses(operation, schema_of),
    }
    if operation.description:
        document["description"] = operation.description
    parameters = [_parameter(each) for each in operation.parameters]
    if operation.idempotent:
        parameters.append(
            {
                "name": IDEMPOTENCY_KEY.name,
                "in": "header",
                "schema": IDEMPOTENCY_KEY.type,
                "description": IDEMPOTENCY_KEY.description,
            }
        )
    if parameters:
        document["parameters"] = parameters
    if operation.body is not None:
        content: dict[str, Any] = {"schema": schema_of[id(operation.body)]}
        if operation.example is not None:
            content["example"] = msgspec.to_builtins(operation.example)
        document["requestBody"] = {"required": True, "content": {"application/json": content}}
    return document


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required or parameter.where == "path",
        "schema": {"type": parameter.kind, **parameter.form},
        **({"description": parameter.about} if parameter.about else {}),
    }


def _responses(operation: Operation, schema_of: Mapping[int, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, answer in operation.answers.items():
        response: dict[str, Any] = {"description": HTTPStatus(status).phrase}
        if answer is not None:
            content: dict[str, Any] = {"schema": schema_of[id(answer)]}
            if status in operation.answer_examples:
                content["example"] = operation.answer_examples[status]
            response["content"] = {operation.media_type: content}
        responses[str(status)] = response
    by_status: dict[int, dict[str, Any]] = defaultdict(dict)
    for code, document in problem_examples(operation.problems).items():
        by_status[document["status"]][code] = {"value": document}
    for status, examples in sorted(by_status.items()):
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {
                PROBLEM_JSON: {
                    "schema": {"$ref": _REF.format(name="ProblemDocument")},
                    "examples": examples,
                }
            },
        }
    return responses
