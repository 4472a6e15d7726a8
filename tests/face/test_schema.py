"""The OpenAPI document is valid, whole, and says what can go wrong with every call."""

from typing import Any

import pytest
import yaml
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from config.embedded.places import CHECKOUT
from config.errors import PROBLEMS
from config.http.problems import PROBLEM_JSON

# Pages, and what describes itself.
NOT_DESCRIBED = ("api/schema/", "api/docs/", "api/redoc/", "sandbox/pay/<str:order>/")
METHODS = {"get", "put", "post", "patch", "delete"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CHECKOUT / "docs/openapi.yaml").read_text())
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def routes(resolver: URLResolver, prefix: str = "") -> list[str]:
    found: list[str] = []
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            found.append(prefix + str(entry.pattern))
        elif not str(entry.pattern).startswith("admin/") and entry.app_name != "web":
            found += routes(entry, prefix + str(entry.pattern))
    return found


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    validate(document, cls=OpenAPIV31SpecValidator)


def test_the_committed_document_is_what_the_code_says(document: dict[str, Any]) -> None:
    made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    assert yaml.safe_load(yaml.safe_dump(_plain(made))) == document, "run `make schema`"


def test_every_address_is_described(document: dict[str, Any]) -> None:
    described = {path.strip("/").count("/") for path in document["paths"]}
    assert described
    shapes = {_shape(path) for path in document["paths"]}
    missing = [
        route
        for route in routes(get_resolver())
        if route not in NOT_DESCRIBED and _shape("/" + route) not in shapes
    ]
    assert not missing


def test_every_error_of_every_call_has_an_example(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        for status, response in operation["responses"].items():
            if int(status) < 400:
                continue
            examples = response["content"][PROBLEM_JSON]["examples"]
            assert examples, f"{name} {status}"
            for code, example in examples.items():
                value = example["value"]
                assert value["code"] == code
                assert value["status"] == int(status) == PROBLEMS[code].status


def test_every_call_of_the_api_says_what_may_always_happen(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        if "/api/v1/" not in name:
            continue
        assert {"401", "429", "500", "503"} <= operation["responses"].keys(), name
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= operation["responses"].keys(), name


def test_names_are_unique_and_every_call_has_a_summary(document: dict[str, Any]) -> None:
    found = operations(document)
    names = [operation["operationId"] for operation in found.values()]
    assert len(names) == len(set(names))
    assert [name for name, operation in found.items() if not operation.get("summary")] == []
    tags = {tag["name"] for tag in document["tags"]}
    assert {tag for operation in found.values() for tag in operation["tags"]} == tags


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/schema/", "application/vnd.oai.openapi"),
        ("/api/schema/?format=json", "application/vnd.oai.openapi+json"),
        ("/api/docs/", "text/html"),
        ("/api/redoc/", "text/html"),
    ],
)
def test_documentation_needs_no_token_and_no_other_host(path: str, kind: str) -> None:
    response = Client().get(path)
    assert response.status_code == 200
    assert response["Content-Type"].startswith(kind)
    if kind == "text/html":
        page = response.content.decode()
        assert "https://" not in page
        assert "//cdn" not in page
        assert "/static/drf_spectacular_sidecar/" in page


def _shape(path: str) -> str:
    """A path with its parameters blanked, in either spelling."""
    parts = path.split("/")
    return "/".join("*" if part[:1] in {"{", "<"} else part for part in parts)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, str) else value
