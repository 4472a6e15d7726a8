"""What an API key may be allowed to do. A key has no right that is not in its list."""

from typing import Final

SCOPES: Final[dict[str, str]] = {
    "read": "see holds, bookings, payments and tickets, and everything that is open to all",
    "reserve": "lock, extend and release",
    "confirm": "confirm holds",
    "pay": "start payments",
    "manage": "cancel bookings and other changes to them",
    "group": "lock and book up to GROUP_MAX_SEATS seats at once",
    "customers": "make customers, and act for them",
}

# Which of them a call needs, by its class of calls (`config.http.throttles.RATES`). A class that
# is not here, staff's above all, is closed to keys.
SCOPE_OF_CLASS: Final[dict[str, str]] = {
    "read": "read",
    "reserve": "reserve",
    "confirm": "confirm",
    "write": "manage",
}
