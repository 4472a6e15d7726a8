"""Rows of a GTFS file, one at a time, and the types their fields may have.

Every complaint about a field is a `FeedBroken` with file and line. Fields may be padded with
blanks, and a column that is not there reads as one that is empty.
"""

import csv
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Final
from zipfile import BadZipFile
from zoneinfo import ZoneInfo

from trains.gtfs.errors import FeedBroken
from trains.gtfs.source import FeedSource

ID_LENGTH_MAX: Final = 200
_ROWS_PER_ADVANCE: Final = 1000
_TIME: Final = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)", re.ASCII)
_DATE: Final = re.compile(r"\d{8}", re.ASCII)
_INTEGER: Final = re.compile(r"\d{1,9}", re.ASCII)
_UNREADABLE = (OSError, EOFError, RuntimeError, NotImplementedError, BadZipFile, zlib.error)


class Row:
    """The row under the reader's hand: one object, refilled for each row of the file."""

    __slots__ = ("_columns", "_values", "file", "line")

    def __init__(self, file: str, columns: dict[str, int]) -> None:
        self.file = file
        self.line = 1
        self._columns = columns
        self._values: list[str] = []

    def fill(self, line: int, values: list[str]) -> None:
        self.line = line
        self._values = values
        if len(values) > len(self._columns) and any(values[len(self._columns) :]):
            raise self.broken(f"{len(values)} fields under {len(self._columns)} column names")

    def broken(self, reason: str) -> FeedBroken:
        return FeedBroken(file=self.file, line=self.line, reason=reason)

    def text(self, name: str) -> str | None:
        """The field without surrounding blanks, None when nothing is left."""
        index = self._columns.get(name)
        if index is None or index >= len(self._values):
            return None
        value = self._values[index].strip()
        if "\0" in value:
            raise self.broken(f"{name} contains a NUL byte")
        return value or None

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise self.broken(f"{name} is empty")
        return value

    def identifier(self, name: str) -> str:
        value = self.required(name)
        if len(value) > ID_LENGTH_MAX:
            raise self.broken(f"{name} is longer than {ID_LENGTH_MAX} characters")
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        value = self.text(name)
        if value is None:
            if default is None:
                raise self.broken(f"{name} is empty")
            return default
        if not _INTEGER.fullmatch(value):
            raise self.broken(f"{name} is {value!r}, not a whole number")
        return int(value)

    def choice(self, name: str, allowed: Sequence[int], default: int | None = None) -> int:
        value = self.integer(name, default)
        if value not in allowed:
            known = ", ".join(str(one) for one in allowed)
            raise self.broken(f"{name} is {value}, not one of {known}")
        return value

    def number(self, name: str, low: float, high: float) -> float | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            number = float(value)
        except ValueError:
            raise self.broken(f"{name} is {value!r}, not a number") from None
        if not low <= number <= high:
            raise self.broken(f"{name} is {value}, not between {low:g} and {high:g}")
        return number

    def time_seconds(self, name: str) -> int | None:
        """`H:MM:SS` as seconds of the service day; hours go on after 23."""
        value = self.text(name)
        if value is None:
            return None
        match = _TIME.fullmatch(value)
        if match is None:
            raise self.broken(f"{name} is {value!r}, not a time like 07:05:00")
        hours, minutes, seconds = match.groups()
        return int(hours) * 3600 + int(minutes) * 60 + int(seconds)

    def day(self, name: str) -> date:
        value = self.required(name)
        try:
            if not _DATE.fullmatch(value):
                raise ValueError  # noqa: TRY301  # one complaint for both ways to be no date
            return datetime.strptime(value, "%Y%m%d").date()  # noqa: DTZ007  # a date has no zone
        except ValueError:
            raise self.broken(f"{name} is {value!r}, not a date like 20260131") from None

    def zone(self, name: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise self.broken(f"{name} is {value!r}, not a time zone") from None
        return value


def read_rows(
    source: FeedSource,
    file: str,
    *,
    required: Sequence[str],
    advance: Callable[[int], None] = lambda _: None,
) -> Iterator[Row]:
    """The rows of a file in order. The object is the same each time: take what you need.

    Rows without a field are passed over; quoted fields may hold commas, quotes and line ends; a
    byte order mark is dropped. `advance` hears now and then how many more bytes were read.

    Raises `FeedBroken` when the file is no UTF-8, no CSV, damaged, or lacks a required column.
    """
    line = 1
    try:
        with source.open(file) as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
            reader = csv.reader(text, strict=True)
            row = Row(file, _columns(file, next(reader, []), required))
            line = reader.line_num + 1
            told = 0
            for count, values in enumerate(reader):
                if any(values):
                    row.fill(line, values)
                    yield row
                line = reader.line_num + 1
                if count % _ROWS_PER_ADVANCE == 0:
                    advance(stream.tell() - told)
                    told = stream.tell()
    except csv.Error as wrong:
        raise FeedBroken(file=file, line=line, reason=f"no valid CSV: {wrong}") from None
    except UnicodeDecodeError:
        bad = _first_line_not_utf8(source, file)
        raise FeedBroken(file=file, line=bad, reason="not encoded in UTF-8") from None
    except _UNREADABLE as wrong:
        raise FeedBroken(file=file, line=line, reason=f"cannot be read: {wrong}") from None


def _columns(file: str, header: list[str], required: Sequence[str]) -> dict[str, int]:
    names = [name.strip() for name in header]
    if not any(names):
        raise FeedBroken(file=file, line=1, reason="there is no header")
    for name in required:
        if name not in names:
            raise FeedBroken(file=file, line=1, reason=f"the column {name} is missing")
    for index, name in enumerate(names):
        if name and name in names[:index]:
            raise FeedBroken(file=file, line=1, reason=f"the column {name} appears twice")
    return {name or f"(column {index})": index for index, name in enumerate(names)}


def _first_line_not_utf8(source: FeedSource, file: str) -> int | None:
    """The decoder works ahead of the reader, so the line is looked for again from the start."""
    with source.open(file) as stream:
        for number, raw in enumerate(stream, start=1):
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return None
