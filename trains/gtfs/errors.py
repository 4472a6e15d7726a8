"""Why an import is refused."""

from config.errors import Invalid, SeatlockError


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


class SeatsTakenMeanwhile(SeatlockError):
    """While the import ran, somebody took seats on trains whose stops it would change."""

    code = "unavailable"

    def __init__(self, numbers: list[str]) -> None:
        said = ", ".join(numbers)
        super().__init__(f"somebody just took seats on {said}: run the import again")
