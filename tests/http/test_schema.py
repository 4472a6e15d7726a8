"""The description of the API: every error an operation may answer, with an example."""

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from config.errors import PROBLEMS
from config.http.problems import PROBLEM_JSON
from config.http.schema import problem_responses

PREFIX = "/api/v1/auth/"


@pytest.fixture(scope="module")
def accounts() -> dict[str, Any]:
    """The operations on accounts by method and path."""
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]  # type: ignore[no-untyped-call]
    return {
        f"{method} {path.removeprefix(PREFIX)}": operation
        for path, operations in paths.items() if path.startswith(PREFIX)
        for method, operation in operations.items()
    }  # fmt: skip


def test_every_account_call_of_the_contract_is_described(accounts: dict[str, Any]) -> None:
    assert set(accounts) == {
        "post guest/", "post guest/claims/", "post guest/claims/confirm/",
        "post register/", "post login/", "post refresh/", "post logout/", "get me/", "patch me/",
        "post password/", "get travellers/", "post travellers/", "delete travellers/",
        "get travellers/{traveller}/", "patch travellers/{traveller}/",
        "delete travellers/{traveller}/",
    }  # fmt: skip


def test_every_refusal_has_an_example(accounts: dict[str, Any]) -> None:
    for name, operation in accounts.items():
        refusals = {int(s): r for s, r in operation["responses"].items() if int(s) >= 400}
        assert {429, 503} <= set(refusals), name
        for status, response in refusals.items():
            examples = response["content"][PROBLEM_JSON]["examples"].values()
            assert examples, (name, status)
            assert {example["value"]["status"] for example in examples} == {status}


def test_every_body_and_answer_has_an_example(accounts: dict[str, Any]) -> None:
    for name, operation in accounts.items():
        if not name.startswith(("get ", "delete ")):
            assert operation["requestBody"]["content"]["application/json"]["examples"], name
    for name, status in (("post register/", "201"), ("post login/", "200")):
        assert accounts[name]["responses"][status]["content"]["application/json"]["examples"]


def test_open_calls_are_described_as_open(accounts: dict[str, Any]) -> None:
    is_open = {name for name, operation in accounts.items() if {} in operation["security"]}
    assert is_open == {"post register/", "post login/", "post refresh/", "post guest/"}


def test_codes_of_one_status_share_a_response() -> None:
    responses = problem_responses("seat-unavailable", "illegal-state", "not-found")
    assert [status for status, _ in responses] == [404, 409]
    shared = responses[409, PROBLEM_JSON].examples
    assert [example.value["code"] for example in shared or ()] == [
        "seat-unavailable", "illegal-state",
    ]  # fmt: skip


def test_every_code_there_is_can_be_described() -> None:
    described = problem_responses(*PROBLEMS).values()
    codes = [example.value["code"] for response in described for example in response.examples or ()]
    assert sorted(codes) == sorted(PROBLEMS)


def test_an_unknown_code_is_an_error_at_import() -> None:
    with pytest.raises(KeyError):
        problem_responses("no-such-code")
