"""Why a feed is refused."""

from config.errors import Invalid


class FeedBroken(Invalid):
    """The feed contradicts itself or the GTFS reference. Nothing of it was imported.

    `line` is the line of the file on which the row begins (the header is line 1), or None when
    the whole file is meant.
    """

    def __init__(self, *, file: str, reason: str, line: int | None = None) -> None:
        self.file = file
        self.line = line
        self.reason = reason
        where = file if line is None else f"{file}, line {line}"
        super().__init__({where: [reason]}, detail=f"{where}: {reason}")
