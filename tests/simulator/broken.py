"""How a simulation says that a promise was broken."""


class Broken(BaseException):
    """A promise does not hold. Not an `Exception`, so that no view can answer it with a 500."""

    def __init__(self, promise: str, detail: str) -> None:
        super().__init__(f"{promise}: {detail}")
        self.promise = promise


def must(holds: object, promise: str, detail: str) -> None:
    if not holds:
        raise Broken(promise, detail)
