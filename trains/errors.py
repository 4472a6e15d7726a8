"""What the timetable refuses, beside `Invalid` and `NotFound`.

SeatlockError
├── DepartureWithdrawn        illegal-state, 409: state "withdrawn"
├── FareMissing               not-on-sale, 409
└── StopsAreFixed             illegal-state, 409
    ├── TrainHasSales         state "on-sale"
    └── TrainBelongsToFeed    state "from-feed"
"""

from datetime import date

from config.errors import SeatlockError


class FareMissing(SeatlockError):
    """The fare tables have a gap: no fare for this class on this date, so it is not sold."""

    code = "not-on-sale"

    def __init__(self, travel_class: str, service_date: date) -> None:
        super().__init__(f"No fare is set for class {travel_class} on {service_date}.")


class DepartureWithdrawn(SeatlockError):
    """The departure does not run: it was taken out of the timetable for good."""

    code = "illegal-state"

    def __init__(self, departure: int) -> None:
        super().__init__(f"Departure {departure} does not run.", state="withdrawn")


class StopsAreFixed(SeatlockError):
    """Stops, times or days of a train may not be changed in its present state."""

    code = "illegal-state"


class TrainHasSales(StopsAreFixed):
    """Somebody holds or has bought seats: the legs they paid for must not move."""

    def __init__(self, number: str) -> None:
        super().__init__(
            f"Seats of train {number} are sold or held, so its stops are fixed.", state="on-sale"
        )


class TrainBelongsToFeed(StopsAreFixed):
    """The next import would overwrite the change: it must be made in the feed."""

    def __init__(self, number: str, feed: str) -> None:
        super().__init__(
            f"Stops and days of train {number} come from the feed {feed}; change them there.",
            state="from-feed",
        )
