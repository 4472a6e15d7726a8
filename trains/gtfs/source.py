"""A feed on disk: a zip file, or a folder with the same files."""

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Self, cast

from trains.gtfs.errors import FeedBroken

_CHUNK_BYTES: Final = 1 << 20


class FeedSource:
    """Opens the files of a feed by name. Use it as a context manager.

    Raises `FeedBroken` when the path is neither a zip file nor a folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        if path.is_dir():
            self._sizes = {part.name: part.stat().st_size for part in path.iterdir()}
            return
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as wrong:
            raise FeedBroken(file=path.name, reason=f"no zip file and no folder: {wrong}") from None
        self._sizes = {part.filename: part.file_size for part in self._zip.infolist()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._zip is not None:
            self._zip.close()

    def __contains__(self, file: str) -> bool:
        return file in self._sizes

    def size_bytes(self, file: str) -> int:
        """The size of a file unpacked; 0 when the feed does not have it."""
        return self._sizes.get(file, 0)

    @contextmanager
    def open(self, file: str) -> Iterator[BinaryIO]:
        opened = (self.path / file).open("rb") if self._zip is None else self._zip.open(file)
        with opened as stream:
            yield cast("BinaryIO", stream)

    def digest(self, files: Sequence[str]) -> str:
        """SHA-256 over names and contents of these files, the same for zip and folder."""
        digest = hashlib.sha256()
        for file in files:
            if file in self:
                digest.update(f"{file}\0{self.size_bytes(file)}\0".encode())
                with self.open(file) as stream:
                    while chunk := stream.read(_CHUNK_BYTES):
                        digest.update(chunk)
        return digest.hexdigest()
