"""A table as staff read it: on the page, behind its chart, and as CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from config.errors import NotFound

Kind = Literal["text", "number", "money", "code", "share", "heat", "moment"]
Chart = Literal["", "line", "bar", "lying"]

STEPS: Final = 10
# What a spreadsheet would run as a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Column:
    """`drawn`: the chart has a line, or bars, of it. Shares run from 0 to 1 and are shown in per
    cent; `heat` is coloured as well.
    """

    name: str
    kind: Kind = "text"
    drawn: bool = False


@dataclass(frozen=True)
class Link:
    """A cell that leads somewhere."""

    text: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """`key` names it in addresses; `chart` is drawn from the first column and those `drawn`."""

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    lead: str = ""
    chart: Chart = ""
    empty: str = ""
    is_away: bool = False
    zone: Any = field(default=UTC)

    @property
    def cells(self) -> list[list["Cell"]]:
        return [
            [
                Cell(value, column, self.zone)
                for value, column in zip(row, self.columns, strict=True)
            ]
            for row in self.rows
        ]


@dataclass(frozen=True)
class Cell:
    """One value, and how its column shows it."""

    value: Any
    column: Column
    zone: Any

    @property
    def link(self) -> str:
        return self.value.address if isinstance(self.value, Link) else ""

    @property
    def text(self) -> str:
        """For eyes."""
        value = self.value.text if isinstance(self.value, Link) else self.value
        if value is None:
            return "—"
        if isinstance(value, datetime):
            return date_format(value.astimezone(self.zone), "j M H:i:s", use_l10n=False)
        if self.column.kind == "heat":
            return f"{100 * value:.0f}"
        if self.column.kind == "share":
            return f"{100 * value:.0f} %"
        if isinstance(value, float):
            return f"{value:.1f}"
        return str(value)

    @property
    def plain(self) -> str:
        """For machines: charts and CSV."""
        value = self.value.text if isinstance(self.value, Link) else self.value
        if value is None:
            return ""
        return value.isoformat() if isinstance(value, datetime) else str(value)

    @property
    def heat(self) -> str:
        """The step of its colour, 0 to STEPS; empty for a cell without colour."""
        if self.column.kind != "heat" or self.value is None:
            return ""
        return str(min(STEPS, max(0, round(self.value * STEPS))))

    @property
    def is_number(self) -> bool:
        return isinstance(self.value, int | float | Decimal)


def as_csv(table: Table) -> HttpResponse:
    """The table as a file: UTF-8 with a mark that spreadsheets know it by."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_harmless(column.name) for column in table.columns])
    for row in table.cells:
        writer.writerow([cell.plain if cell.is_number else _harmless(cell.plain) for cell in row])
    answer = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="seatlock-{table.key}.csv"'
    return answer


def wanted_csv(request: HttpRequest, tables: Sequence[Table]) -> HttpResponse | None:
    """The file that `?csv=` asks for, if it asks. Raises `NotFound`."""
    key = request.GET.get("csv")
    if key is None:
        return None
    for table in tables:
        if table.key == key:
            return as_csv(table)
    raise NotFound(_("There is no such table."))


def _harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: names are what people typed."""
    return f"'{text}" if text.startswith(_FORMULA) else text
