"""How an import tells how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Told of each phase when it begins and as it advances; a phase ends when the next begins."""

    def begin(self, phase: str, total: int) -> None: ...

    def advance(self, by: int) -> None: ...


class SilentProgress:
    """Nobody is watching."""

    def begin(self, phase: str, total: int) -> None: ...

    def advance(self, by: int) -> None: ...
