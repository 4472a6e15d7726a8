"""How the timetable speaks to whoever sells it, without knowing who that is.

Apps above register here when they start. Downwards goes a question, upwards an announcement:

- a *listener* is told which departures have changed, right after COMMIT, so that the seat images
  follow at once. It is only the quick way: the same change lies in the outbox as a subscribed
  fact `departure.changed`, so a listener that fails loses nothing.
- a *guard* says which trains have sales that a change of their stops would falsify.
- a *keeper* says which departures must stay because something hangs on them.
"""

import logging
from collections.abc import Callable, Sequence

Listener = Callable[[Sequence[int]], None]
Guard = Callable[[Sequence[int]], set[int]]
Keeper = Callable[[Sequence[int]], set[int]]

logger = logging.getLogger(__name__)

_listeners: list[Listener] = []
_guards: list[Guard] = []
_keepers: list[Keeper] = []


def register_listener(listener: Listener) -> None:
    """Let `listener` hear of changed departures (their ids); registering twice is once."""
    if listener not in _listeners:
        _listeners.append(listener)


def register_guard(guard: Guard) -> None:
    """Let `guard` answer for trains (ids): which of them have sales to come; twice is once."""
    if guard not in _guards:
        _guards.append(guard)


def register_keeper(keeper: Keeper) -> None:
    """Let `keeper` name, of these trains (ids), the *departures* (ids) that somebody counts on.

    Those with a booking of any status, a live hold or a blocked seat, to come or long over: what
    it does not name may get other stops. Twice is once.
    """
    if keeper not in _keepers:
        _keepers.append(keeper)


def announce_changed(departure_ids: Sequence[int]) -> None:
    """Tell every listener. Call it through `transaction.on_commit`; it never raises."""
    if not departure_ids:
        return
    for listener in _listeners:
        try:
            listener(departure_ids)
        except Exception:
            logger.warning(
                "a listener missed %d changed departures; the outbox repeats them",
                len(departure_ids),
                exc_info=True,
            )


def trains_with_sales(train_ids: Sequence[int]) -> set[int]:
    """Which of these trains have sales that fix their stops. Ask inside the transaction."""
    return {train for guard in _guards for train in guard(train_ids)} if train_ids else set()


def departures_in_use(train_ids: Sequence[int]) -> set[int]:
    """Which departures of these trains must stay as they are. Ask inside the transaction."""
    return {one for keeper in _keepers for one in keeper(train_ids)} if train_ids else set()
