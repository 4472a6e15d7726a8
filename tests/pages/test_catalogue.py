"""Every text of the pages is said in Hindi, too; the check fails where one is not."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from web import catalogue


def test_hindi_is_whole() -> None:
    assert catalogue.wrong("hi") == []


def test_texts_are_found_in_code_and_templates() -> None:
    texts = [found.text for found in catalogue.gather()]
    assert "Booked. Have a good journey!" in texts
    assert "Pick your seat. It stays yours." in texts
    assert ("%(n)s free", "%(n)s free") in texts
    assert len(texts) > 200


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda said: setattr(said["Name"], "string", ""), "not translated"),
        (lambda said: said["Name"].flags.add("fuzzy"), "fuzzy"),
        (lambda said: setattr(said["Coach %(label)s"], "string", "डिब्बा"), "placeholders differ"),
    ],
)
def test_a_catalogue_that_is_not_whole_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: object, complaint: str
) -> None:
    whole: Catalog = catalogue.load("hi")
    said = {message.id: message for message in whole}
    change(said)  # type: ignore[operator]
    monkeypatch.setattr(catalogue, "LOCALES", tmp_path)
    catalogue.write("hi", whole)
    (line,) = catalogue.wrong("hi")
    assert complaint in line


def test_a_text_that_is_new_or_gone_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    known = catalogue.gather()
    new = catalogue.Found("Quite new", "web/page.py")
    monkeypatch.setattr(catalogue, "gather", lambda: [*known, new])
    assert catalogue.wrong("hi") == ["hi: not in the catalogue: 'Quite new'"]
    without = [found for found in known if found.text != "Name"]
    monkeypatch.setattr(catalogue, "gather", lambda: without)
    assert catalogue.wrong("hi") == ["hi: nobody says it any more: 'Name'"]
