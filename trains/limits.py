"""Every bound on the size of the physical world and the timetable, by name."""

from typing import Final

STOPS_MIN: Final = 2
STOPS_MAX: Final = 128
COACHES_MAX: Final = 60
COACH_SEATS_MAX: Final = 2_000
TRAIN_SEATS_MAX: Final = 10_000
RUN_DAYS_MAX: Final = 10
"""A run ends at most this many days after its service date."""
DISTANCE_KM_MAX: Final = 50_000
FARE_FACTOR_MAX: Final = 100
DAYS_AHEAD_MAX: Final = 400
"""How far ahead a single departure may be added; SALE_WINDOW_DAYS cannot exceed it either."""
LAYOUT_SEATS_MAX: Final = 24
"""Seats in the repeating unit of a vehicle layout."""
LAYOUT_EXTENT_MAX: Final = 40
"""Width and length of that unit, in seat widths."""
DECKS_MAX: Final = 3
ID_MAX: Final = 2**63 - 1
"""The largest id PostgreSQL can hold; a larger one in a request names nothing."""
