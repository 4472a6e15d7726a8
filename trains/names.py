"""What the names of trains, stations and coaches may look like, as regular expressions.

Coach labels appear in seat names (`S1-12`) and so in the keys and members of the hold store:
they hold no separator.
"""

from typing import Final

LABEL: Final = r"\A[A-Za-z0-9]{1,12}\Z"
TRAVEL_CLASS: Final = r"\A[A-Za-z0-9]{1,8}\Z"
TRAIN_NUMBER: Final = r"\A[A-Za-z0-9][A-Za-z0-9 ._:-]{0,39}\Z"
STATION_CODE: Final = r"\A[A-Za-z0-9][A-Za-z0-9._:-]{0,39}\Z"
VEHICLE_CODE: Final = r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z"
