"""The bar that shows a traveller's live holds on every page until they end."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from config.errors import StoreUnavailable
from config.stores.redis import AWAY
from reservations.availability.plans import Plan, plans_of
from reservations.services.hold_view import HoldView
from reservations.services.list_holds import list_holds
from web.visitor import Visitor

logger = logging.getLogger(__name__)
_UNSEEN: Final = (*AWAY, StoreUnavailable)


@dataclass(frozen=True)
class HeldSeats:
    """A live hold with what its bar says; `ends_at` as the boarding station's clock shows it."""

    view: HoldView
    train: str
    source: str
    destination: str
    ends_at: datetime

    @property
    def hold(self) -> str:
        return self.view.hold

    @property
    def seconds_left(self) -> int:
        return self.view.expires_in_seconds


def hold_bar(visitor: Visitor) -> list[HeldSeats]:
    """The visitor's live holds, soonest deadline first; none while Redis cannot be asked, for a
    page that only shows them must not fail with it.
    """
    try:
        views = list_holds(user=visitor.id)
    except _UNSEEN as away:
        logger.warning("holds are not shown: %s", away)
        return []
    plans = plans_of({view.departure for view in views})
    return [bar_of(plans[view.departure], view) for view in views]


def bar_of(plan: Plan, view: HoldView) -> HeldSeats:
    train = plan.train
    stops = {stop.code: stop for stop in train.stops}
    boards, alights = stops[view.source], stops[view.destination]
    return HeldSeats(
        view=view,
        train=f"{train.number} {train.name}",
        source=boards.name,
        destination=alights.name,
        ends_at=view.expires_at.astimezone(ZoneInfo(boards.timezone)),
    )
