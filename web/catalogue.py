"""The catalogues of translations: gathered from code and templates, judged and compiled with Babel.

GNU gettext need not be installed: Django's own `templatize` turns a template into calls, Babel
reads those of Python files and writes the `.mo` that Django loads. The `.mo` is committed beside
its `.po`, so that a fresh clone speaks Hindi at once; a test holds the two together.
"""

import ast
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

HERE: Final = Path(__file__).resolve().parent
LOCALES: Final = HERE / "locale"
LANGUAGES: Final = ("hi",)
_KEYWORDS: Final[dict[str, Any]] = {
    **DEFAULT_KEYWORDS,
    "gettext_noop": None,
    "gettext_lazy": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
_NO_DATE: Final = datetime(2026, 1, 1, tzinfo=UTC)  # git knows; a moving date is a diff for nothing
_STRING: Final = r"""u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
_PLACE: Final = re.compile(r"%\(\w+\)s|\{\w+\}")
_CALL: Final = re.compile(
    rf"(?<![\w.])(n?gettext|_)\(({_STRING}(?:,\s*{_STRING})?)(?:,\s*count)?\)"
)


@dataclass(frozen=True)
class Found:
    """A text to be translated (singular and plural, or one), and the file that has it."""

    text: str | tuple[str, str]
    file: str


def gather() -> list[Found]:
    """Every text of the pages, in a stable order."""
    return sorted(
        {*_from_python(), *_from_templates()}, key=lambda each: (each.file, str(each.text))
    )


def _from_python() -> Iterator[Found]:
    for path in sorted(HERE.rglob("*.py")):
        with path.open("rb") as source:
            for _line, text, _comments, _context in extract("python", source, keywords=_KEYWORDS):
                if text:
                    yield Found(text if isinstance(text, str) else (text[0], text[1]), _name(path))


def _from_templates() -> Iterator[Found]:
    for path in sorted((HERE / "templates").rglob("*.*")):
        for _function, arguments in _CALL.findall(templatize(path.read_text())):
            texts = ast.literal_eval(f"({arguments},)")
            yield Found(texts if len(texts) == 2 else texts[0], _name(path))


def _name(path: Path) -> str:
    return str(path.relative_to(HERE.parent))


def load(language: str) -> Catalog:
    with po_file(language).open("rb") as source:
        return read_po(source, locale=language, domain="django")


def po_file(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / "django.po"


def mo_file(language: str) -> Path:
    return po_file(language).with_suffix(".mo")


def updated(language: str) -> Catalog:
    """The catalogue with the texts of today: new ones empty, those of yesterday gone."""
    old = load(language) if po_file(language).exists() else Catalog(locale=language)
    new = Catalog(
        locale=language,
        domain="django",
        charset="utf-8",
        project="Seatlock",
        version="1",
        header_comment="# The pages of Seatlock. Written by `make messages`; translate here.",
        msgid_bugs_address=" ",
        last_translator="Seatlock",
        language_team="Seatlock",
        creation_date=_NO_DATE,
        revision_date=_NO_DATE,
        fuzzy=False,
    )
    for found in gather():
        known: Message | None = old.get(
            found.text if isinstance(found.text, str) else found.text[0]
        )
        new.add(
            found.text,
            known.string if known is not None and not known.fuzzy else "",
            locations=[(found.file, None)],  # type: ignore[list-item]  # no line: it would move
        )
    return new


def write(language: str, catalogue: Catalog) -> None:
    """Write the `.po`, and the `.mo` made of it."""
    po_file(language).parent.mkdir(parents=True, exist_ok=True)
    with po_file(language).open("wb") as target:
        write_po(target, catalogue, width=100, omit_header=False, include_lineno=False)
    mo_file(language).write_bytes(compiled(load(language)))


def compiled(catalogue: Catalog) -> bytes:
    target = io.BytesIO()
    write_mo(target, catalogue)
    return target.getvalue()


def wrong(language: str) -> list[str]:
    """What keeps a catalogue from being whole, a line each; nothing: it is whole."""
    catalogue = load(language)
    texts = {found.text if isinstance(found.text, str) else found.text[0] for found in gather()}
    lines = []
    for text in sorted(texts):
        message = catalogue.get(text)
        if message is None:
            lines.append(f"{language}: not in the catalogue: {text!r}")
        elif message.fuzzy:
            lines.append(f"{language}: fuzzy: {text!r}")
        elif not message.string or not all(_strings(message)):
            lines.append(f"{language}: not translated: {text!r}")
        else:
            lines += [f"{language}: {error}: {text!r}" for error in message.check(catalogue)]
            lines += _lost_places(language, message)
    known = {_first(message) for message in catalogue if message.id}
    lines += [f"{language}: nobody says it any more: {text!r}" for text in sorted(known - texts)]
    if _said(_read_compiled(language)) != _said(catalogue):
        lines.append(f"{language}: the .mo was not made of this .po: run `make messages`")
    return lines


def _read_compiled(language: str) -> Catalog:
    with mo_file(language).open("rb") as source:
        return read_mo(source)


def _said(catalogue: Catalog) -> dict[str, tuple[str, ...]]:
    """What a `.mo` keeps: the texts that are translated."""
    return {
        _first(message): _strings(message)
        for message in catalogue
        if message.id and not message.fuzzy and all(_strings(message))
    }


def _lost_places(language: str, message: Message) -> list[str]:
    """Translations that have other placeholders than their text."""
    wanted = set(_PLACE.findall(_first(message)))
    return [
        f"{language}: placeholders differ: {text!r}"
        for text in _strings(message)
        if set(_PLACE.findall(text)) != wanted
    ]


def _strings(message: Message) -> tuple[str, ...]:
    said = message.string or ""
    return (said,) if isinstance(said, str) else tuple(said)


def _first(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]
