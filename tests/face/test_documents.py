"""What the documents point at is there."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from config.embedded.places import CHECKOUT
from config.environment import Environment

DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def anchors(document: Path) -> set[str]:
    """The anchors of its headings, as they are made of their words."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text).strip().lower().replace(" ", "-") for text in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for link in LINK.findall(document.read_text()):
        if "://" in link:
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (document.parent / path) if path else document
        assert target.exists(), f"{document.name} links to {link}"
        if anchor:
            assert anchor in anchors(target), f"{document.name} links to {link}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_tests_that_are_named_exist(document: Path) -> None:
    for path, name in NAMED_TEST.findall(document.read_text()):
        file = CHECKOUT / path
        assert file.exists(), path
        if name:
            assert f"def {name}(" in file.read_text(), f"{path}::{name}"


def test_every_promise_names_its_test() -> None:
    text = (CHECKOUT / "docs/ARCHITECTURE.md").read_text()
    rows = dict(re.findall(r"^\| (P\d+) \|(.*)$", text, flags=re.MULTILINE))
    assert list(rows) == [f"P{number}" for number in range(1, 11)]
    unshown = [name for name, row in rows.items() if not NAMED_TEST.search(row)]
    assert not unshown


def test_every_decision_is_in_the_index() -> None:
    folder = CHECKOUT / "docs/adr"
    index = set(LINK.findall((folder / "README.md").read_text()))
    assert index == {path.name for path in folder.glob("*.md")} - {"README.md"}


def test_defaults_in_the_readme_are_the_codes() -> None:
    rows = re.findall(
        r"^\| `([A-Z_]+)` \| (\w+) \|", (CHECKOUT / "README.md").read_text(), re.MULTILINE
    )
    told = {name.lower(): text for name, text in rows}
    known = {
        name: str(field.default)
        for name, field in Environment.model_fields.items()
        if name in told and not field.is_required()
    }
    assert len(known) >= 4
    assert {name: told[name] for name in known} == known
