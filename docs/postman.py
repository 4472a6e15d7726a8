# ruff: noqa: INP001  # a script, not a package
"""Make docs/postman_collection.json out of docs/openapi.yaml: `make schema` runs it.

Two folders: "The whole flow", the calls a client makes one after the other, each with tests, and
tokens, hold and PNR carried from one to the next; and "Every call", one request for each
operation, to start from. What a call looks like comes from the OpenAPI document alone; what the
flow adds is in `postman_flow`. With --check: ends with 1 if the collection is not up to date.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from postman_flow import FLOW, VARIABLES, Call

HERE: Final = Path(__file__).parent
TARGET: Final = HERE / "postman_collection.json"
SCHEMA: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
FLOW_FOLDER: Final = "The whole flow"
ALL_FOLDER: Final = "Every call"


class Document:
    """The OpenAPI document, asked by operation id."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.found = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }

    def request(self, call: Call) -> dict[str, Any]:
        """A Postman request for this call."""
        method, path, operation = self.found[call.operation]
        headers = []
        if call.key:
            headers.append({"key": "Idempotency-Key", "value": call.key})
        request: dict[str, Any] = {
            "method": method,
            "header": headers,
            "url": self._url(path, operation, call),
            "auth": _auth(call.as_),
        }
        body = call.body if call.body is not None else self._example(operation)
        if body is not None and "requestBody" in operation:
            headers.append({"key": "Content-Type", "value": "application/json"})
            request["body"] = {
                "mode": "raw",
                "raw": _raw(body),
                "options": {"raw": {"language": "json"}},
            }
        if operation.get("description"):
            request["description"] = operation["description"]
        return request

    def required_members(self, operation: str, status: int) -> list[str]:
        """What every JSON object answered with this status has."""
        responses = self.found[operation][2]["responses"]
        content = responses[str(status)].get("content", {})
        schema: dict[str, Any] = next((each.get("schema", {}) for each in content.values()), {})
        if "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        required: list[str] = schema.get("required", [])
        return required

    def _url(self, path: str, operation: dict[str, Any], call: Call) -> dict[str, Any]:
        parts = [re.sub(r"^\{(\w+)\}$", r":\1", part) for part in path.strip("/").split("/")]
        if path.endswith("/"):
            parts.append("")
        shown = {**call.query}
        known = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
        assert set(shown) <= set(known), f"{call.operation} has no {set(shown) - set(known)}"  # noqa: S101
        query: list[dict[str, Any]] = [
            {"key": name, "value": value} for name, value in shown.items()
        ]
        query += [
            {"key": name, "value": "", "disabled": True} for name in known if name not in shown
        ]
        names = [part[1:] for part in parts if part.startswith(":")]
        text = "{{baseUrl}}/" + "/".join(parts)
        if shown:
            text += "?" + "&".join(f"{name}={value}" for name, value in shown.items())
        return {
            "raw": text,
            "host": ["{{baseUrl}}"],
            "path": parts,
            "query": query,
            "variable": [
                {"key": name, "value": call.path.get(name, f"{{{{{name}}}}}")} for name in names
            ],
        }

    def _example(self, operation: dict[str, Any]) -> Any:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if "example" in content:
            return content["example"]
        examples = list(content.get("examples", {}).values())
        return examples[0]["value"] if examples else ({} if content else None)


def _auth(token: str) -> dict[str, Any]:
    if not token:
        return {"type": "noauth"}
    value = {"key": "token", "value": f"{{{{{token}}}}}", "type": "string"}
    return {"type": "bearer", "bearer": [value]}


def _raw(body: Any) -> str:
    """JSON in which a variable that is a number stands without quotes."""
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if value is not None}
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return re.sub(r'"departure": "(\{\{departure\}\})"', r'"departure": \1', text)


def _tests(document: Document, call: Call) -> list[str]:
    lines = [
        f'pm.test("answers {call.expect}", () => pm.response.to.have.status({call.expect}));',
    ]
    answer = document.found[call.operation][2]["responses"][str(call.expect)]
    kinds = list(answer.get("content", {}))
    if kinds and kinds[0].endswith("json"):
        lines.append("const answer = pm.response.json();")
        lines.append(
            f'pm.test("is {kinds[0]}", () => '
            f'pm.expect(pm.response.headers.get("Content-Type")).to.include("{kinds[0]}"));'
        )
    members = document.required_members(call.operation, call.expect)
    if members:
        lines.append(
            'pm.test("has what the description says", () => '
            f"pm.expect(answer).to.include.all.keys({json.dumps(members)}));"
        )
    lines += [
        f"pm.test({json.dumps(check.removeprefix('pm.'))}, () => {{ {check} }});"
        for check in call.checks
    ]
    lines += [
        f'pm.collectionVariables.set("{name}", answer.{place});'
        for name, place in call.keep.items()
    ]
    return lines


def _item(document: Document, call: Call) -> dict[str, Any]:
    events = [_script("test", _tests(document, call))]
    if call.before:
        events.insert(0, _script("prerequest", list(call.before)))
    name = call.name or document.found[call.operation][2]["summary"]
    return {"name": name, "event": events, "request": document.request(call), "response": []}


def _script(listen: str, lines: list[str]) -> dict[str, Any]:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": lines}}


def _every_call(document: Document) -> Iterator[dict[str, Any]]:
    """One folder a tag, one request an operation; staff's calls with staff's token."""
    for tag in (each["name"] for each in document.document["tags"]):
        items = []
        for name, (_, _, operation) in document.found.items():
            if operation["tags"] != [tag]:
                continue
            is_open = {} in operation.get("security", [])
            token = "staff_access" if "403" in operation["responses"] else "access"
            call = Call(operation=name, expect=0, as_="" if is_open else token)
            items.append(
                {
                    "name": operation["summary"],
                    "request": document.request(call),
                    "response": [],
                }
            )
        yield {"name": tag, "item": items}


def collection(openapi: dict[str, Any]) -> dict[str, Any]:
    """The Postman collection (v2.1) of this OpenAPI document."""
    document = Document(openapi)
    return {
        "info": {
            "name": f"{openapi['info']['title']} {openapi['info']['version']}",
            "description": (
                f'Made from docs/openapi.yaml. "{FLOW_FOLDER}" runs from top to bottom beside '
                f'`make run`: newman run docs/postman_collection.json --folder "{FLOW_FOLDER}"'
            ),
            "schema": SCHEMA,
        },
        "variable": [{"key": name, "value": value} for name, value in VARIABLES.items()],
        "item": [
            {"name": FLOW_FOLDER, "item": [_item(document, call) for call in FLOW]},
            {"name": ALL_FOLDER, "item": list(_every_call(document))},
        ],
    }


def main(arguments: list[str]) -> int:
    openapi = yaml.safe_load((HERE / "openapi.yaml").read_text())
    made = json.dumps(collection(openapi), indent=2, ensure_ascii=False) + "\n"
    if arguments == ["--check"]:
        if TARGET.read_text() != made:
            sys.stderr.write(f"docs/{TARGET.name} is not up to date: run `make schema`\n")
            return 1
        return 0
    TARGET.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
