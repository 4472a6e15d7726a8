"""When a stretch is on sale, as pure functions of moments and dates; the clock is the caller's.

    sale_opens_at                              boards_at           (moments, UTC)
         |  on sale, unless staff closed it ....... |
    not yet open                                    left

A departure exists from the day its date enters the window (`trains/services/open_departures.py`);
a date beyond the window has none. `boards_at` is when the train leaves the *boarding* stop, so a
run of several days is sold at the stops ahead of it.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from trains.models import Departure


class SaleState(Enum):
    """Why a stretch can or cannot be sold; everything but `OPEN` answers `not-on-sale`."""

    OPEN = "open"
    NOT_YET_OPEN = "not yet open"
    CLOSED = "closed"
    LEFT = "left"


def sale_state(
    *, now: datetime, status: str, sale_opens_at: datetime, boards_at: datetime
) -> SaleState:
    """The state of a stretch at `now`. What has left never opens again, so it is said first."""
    if now >= boards_at:
        return SaleState.LEFT
    if status != Departure.Status.OPEN:
        return SaleState.CLOSED
    if now < sale_opens_at:
        return SaleState.NOT_YET_OPEN
    return SaleState.OPEN


def service_day_starts_at(service_date: date, timezone: str) -> datetime:
    """The moment that times of a run are counted from: noon minus 12 hours in the train's zone.

    It is midnight but on the two days a year when clocks change, where midnight would make the
    afternoon wrong by an hour.
    """
    noon = datetime.combine(service_date, time(12), ZoneInfo(timezone))
    return noon.astimezone(UTC) - timedelta(hours=12)


def opens_at(service_date: date, timezone: str, *, window_days: int, hour: time) -> datetime:
    """The moment a date goes on sale: `hour` local, on the day it enters the window."""
    day = service_date - timedelta(days=window_days)
    return datetime.combine(day, hour, ZoneInfo(timezone)).astimezone(UTC)


def is_within_window(day: date, *, today: date, window_days: int) -> bool:
    """Whether a date may be on sale at all; `today` is the local day at the boarding station."""
    return today <= day <= today + timedelta(days=window_days)


def moment_at(starts_at: datetime, seconds: int) -> datetime:
    """When a run is where its timetable says `seconds` (of a stop), in UTC."""
    return starts_at + timedelta(seconds=seconds)


def local_date(moment: datetime, timezone: str) -> date:
    """The calendar day a station's clock shows at a moment."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def day_bounds(day: date, timezone: str) -> tuple[datetime, datetime]:
    """The half-open span [start, end) of a local day, in UTC; 23 to 25 hours long."""
    zone = ZoneInfo(timezone)
    start = datetime.combine(day, time(0), zone)
    end = datetime.combine(day + timedelta(days=1), time(0), zone)
    return start.astimezone(UTC), end.astimezone(UTC)
