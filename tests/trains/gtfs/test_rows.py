"""How a file of a feed is read: encodings, quotes, line numbers, damage."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from trains.gtfs.errors import FeedBroken
from trains.gtfs.rows import Row, read_rows
from trains.gtfs.source import FeedSource

FILE = "stops.txt"


def read(folder: Path, content: bytes, *required: str) -> Iterator[Row]:
    (folder / FILE).write_bytes(content)
    return read_rows(FeedSource(folder), FILE, required=required)


def _read_ids(folder: Path, content: bytes, *required: str) -> list[str | None]:
    return [row.text("stop_id") for row in read(folder, content, *required)]


def complaint(folder: Path, content: bytes, *required: str) -> FeedBroken:
    with pytest.raises(FeedBroken) as caught:
        _read_ids(folder, content, *required)
    assert caught.value.file == FILE
    return caught.value


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    rows = read(tmp_path, "\ufeffstop_id,stop_name\nA,Älpha\n".encode(), "stop_id")
    assert [(row.text("stop_id"), row.text("stop_name")) for row in rows] == [("A", "Älpha")]


def test_quoted_fields_hold_commas_quotes_and_line_ends(tmp_path: Path) -> None:
    content = b'stop_id,stop_name\r\n"A","Alpha, ""old""\r\nstation"\r\nB,Beta\r\n'
    rows = [(row.line, row.text("stop_name")) for row in read(tmp_path, content)]
    assert rows == [(2, 'Alpha, "old"\r\nstation'), (4, "Beta")]


def test_names_and_fields_may_be_padded_and_lines_blank_or_short(tmp_path: Path) -> None:
    content = b"\n\n stop_id , stop_name,stop_code\n\n,,\n A , Alpha \n"
    with pytest.raises(FeedBroken, match="no header"):
        list(read(tmp_path, content))
    rows = read(tmp_path, content.lstrip(), "stop_id")
    assert [
        (r.line, r.text("stop_id"), r.text("stop_name"), r.text("stop_code")) for r in rows
    ] == [(4, "A", "Alpha", None)]


def test_a_column_nobody_wrote_reads_as_empty(tmp_path: Path) -> None:
    (row,) = [row.text("platform_code") for row in read(tmp_path, b"stop_id\nA\n")]
    assert row is None


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", 1, "no header"),
        (b"stop_name\nAlpha\n", 1, "the column stop_id is missing"),
        (b"stop_id,stop_id\nA,B\n", 1, "the column stop_id appears twice"),
        (b"stop_id,x\nA,1\nB,1,2\n", 3, "3 fields under 2 column names"),
        (b"stop_id\nA\nB\xff\nC\n", 3, "not encoded in UTF-8"),
        ("stop_id\nA\n".encode("utf-16"), 1, "not encoded in UTF-8"),
        (b'stop_id\nA\n"B', 3, "no valid CSV"),
        (b'stop_id\n"A"B\n', 2, "no valid CSV"),
        (b"stop_id\n" + b"A" * 200_000, 2, "no valid CSV"),
        (b"stop_id\nA\nB\0\n", 3, "NUL"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(
    tmp_path: Path, content: bytes, line: int, reason: str
) -> None:
    broken = complaint(tmp_path, content, "stop_id")
    assert broken.line == line
    assert reason in broken.reason


def test_the_line_of_a_wrong_byte_is_found_far_behind_what_the_decoder_has_read(
    tmp_path: Path,
) -> None:
    content = b"stop_id\n" + b"A\n" * 50_000 + b"\xe9\n" + b"A\n" * 50_000
    assert complaint(tmp_path, content).line == 50_002


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as feed:
        feed.writestr(FILE, "stop_id\n" + "A\n" * 1000)
    path.write_bytes(path.read_bytes().replace(b"A\nA\nA\n", b"A\nB\nA\n", 1))
    with pytest.raises(FeedBroken, match="cannot be read"):
        list(read_rows(FeedSource(path), FILE, required=["stop_id"]))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a zip"])
def test_what_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "feed.zip"
    path.write_bytes(content)
    with pytest.raises(FeedBroken, match=r"feed\.zip: no zip file and no folder"):
        FeedSource(path)
    with pytest.raises(FeedBroken, match="no zip file and no folder"):
        FeedSource(tmp_path / "not-there.zip")


def test_zip_and_folder_of_the_same_files_have_one_digest(tmp_path: Path) -> None:
    folder = tmp_path / "feed"
    folder.mkdir()
    (folder / FILE).write_bytes(b"stop_id\nA\n")
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as feed:
        feed.write(folder / FILE, FILE)
        feed.writestr("extra.txt", "not ours")
    files = [FILE, "agency.txt"]
    assert FeedSource(path).digest(files) == FeedSource(folder).digest(files)
    (folder / FILE).write_bytes(b"stop_id\nB\n")
    assert FeedSource(path).digest(files) != FeedSource(folder).digest(files)
