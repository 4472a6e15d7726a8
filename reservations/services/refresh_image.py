"""Make the sold bits of a departure's image what PostgreSQL says (rules 7 and 8).

The rules are in docs/ARCHITECTURE.md.

One function serves load, cancel, outbox, conflict and reconcile, for one departure or many at once:

    a. script   settle the named hold if its member is there; give epoch and sold words
    b. SELECT   the live rows (and staff's blocks) of those seats, on the primary
    c. script   if the epoch is another, begin again; set the bits the rows name, clear those
                that were set at a and are in no row, set a new epoch

        cancel   a ......... b (row gone) ................ c: epoch moved, begin again
        rebook              lock, pin, COMMIT, settle (sold bit set, epoch moved)

Sold bits come from rows, never from events, so it may run late, twice or beside itself.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np

from config.errors import StoreUnavailable
from reservations.availability.plans import Plan, TrainPlan, read_again
from reservations.availability.taken_rows import TakenRows, read_taken
from reservations.availability.waiting import kept_words, read_waiting
from reservations.availability.words import Words, words_of
from reservations.holds import store
from reservations.holds.ids import HoldRef
from reservations.holds.scripts import Outcome
from users.services import ensure_marks

ATTEMPTS: Final = 50
Scope = Literal["some", "all", "load", "mark"]
OF_SEATS: Final = frozenset({"some", "mark"})
"""The scopes that judge the seats they are given and no others; of a mark alone, none."""


def refresh_seats(*, departure: int, seat_ids: Sequence[int], hold: HoldRef | None = None) -> None:
    """Refresh these seats, settling `hold` first if its member is still there."""
    _refresh({departure: seat_ids}, scope="some", hold=hold)


def refresh_seats_of(seats: Mapping[int, Collection[int]]) -> None:
    """Refresh these seats of each departure: each step of all of them in one round trip."""
    _refresh(seats, scope="some")


def refresh_departure(*, departure: int) -> None:
    """Refresh the whole image, its plan revision and blocked seats too."""
    _refresh({departure: ()}, scope="all")


def refresh_waiting(*, departure: int) -> None:
    """Refresh the waitlist's mark alone: who waits, and which seats are kept for them.

    Like sold bits it comes from rows, never from events: of two that do it at once the one with
    the older rows finds another epoch and reads them again.
    """
    _refresh({departure: ()}, scope="mark")


def load_image(*, departure: int) -> None:
    """Load the image if it is missing; the held bits come back from the members, the waitlist's
    mark, in the same step, from its rows.

    It is missing after a flush too, and then so are the marks of ended logins, by which the
    script that is called next refuses tokens: they come back first.
    """
    ensure_marks()
    _refresh({departure: ()}, scope="load")


def _refresh(
    seats: Mapping[int, Collection[int]], *, scope: Scope, hold: HoldRef | None = None
) -> None:
    """`seats`: ids by departure, for the scopes OF_SEATS."""
    plans = read_again(seats)
    left = {departure: seats[departure] for departure in plans}
    if not left:
        return
    for _ in range(ATTEMPTS):
        words = {departure: plans[departure].train.words for departure in left}
        left = _attempt(left, words, scope, hold)
        if not left:
            return
    raise StoreUnavailable("The seat image keeps changing; try again.")


def _attempt(
    seats: Mapping[int, Collection[int]],
    words: Mapping[int, int],
    scope: Scope,
    hold: HoldRef | None,
) -> dict[int, Collection[int]]:
    """Steps a, b and c; the departures that have to begin again, for their epoch has moved."""
    begun = store.refresh_begin(words, scope=scope, ref=hold)
    begun = {departure: each for departure, each in begun.items() if _goes_on(each, scope)}
    if not begun:
        return {}
    plans = read_again(begun)
    taken = read_taken(plans, seats if scope in OF_SEATS else None)
    corrections = {
        departure: _correction(plan, scope, begun[departure], taken[departure], seats[departure])
        for departure, plan in plans.items()
    }
    outcomes = store.refresh_end(corrections)
    done = {Outcome.DONE, Outcome.LOADED}
    return {
        departure: seats[departure]
        for departure, outcome in outcomes.items()
        if outcome not in done
    }


def _goes_on(begun: store.RefreshBegun, scope: Scope) -> bool:
    if not begun.epoch:
        return False  # no image, nobody loads one: there is nothing to correct
    return not (scope == "load" and begun.loaded)  # somebody else was faster


def _correction(
    plan: Plan,
    scope: Scope,
    begun: store.RefreshBegun,
    taken: TakenRows,
    seat_ids: Collection[int],
) -> store.Correction:
    rows, blocked = taken.sold | taken.blocked, taken.blocked
    seen = words_of(begun.sold, plan.train)
    if scope in OF_SEATS:
        seen = _only(seen, plan.train, seat_ids)
    return store.Correction(
        epoch=begun.epoch,
        scope="some" if scope == "mark" else scope,
        changes=_changes(rows, seen),
        revision=plan.revision,
        blocked=blocked.tobytes() if blocked.any() else b"",
        image_bytes=rows.nbytes,
        **({} if scope == "some" else _mark(plan)),
    )


def _mark(plan: Plan) -> dict[str, Any]:
    """What is kept for who waits, and who waits, as `refresh_end.lua` takes them."""
    waiting = read_waiting([plan.departure])[plan.departure]
    if waiting.is_empty:
        return {"kept": b"", "waiting": ""}
    return {"kept": kept_words(plan, waiting).tobytes(), "waiting": waiting.text}


def _only(seen: Words, train: TrainPlan, seat_ids: Iterable[int]) -> Words:
    """The words of these seats, all others 0: a refresh of some seats judges no other."""
    chosen = np.isin(train.seat_ids, list(seat_ids))
    return np.where(chosen[:, None], seen, 0).astype("<u4")


def _changes(rows: Words, seen: Words) -> bytes:
    """Triples (word index, bits to set, bits to clear) for `refresh_end.lua`."""
    to_set, to_clear = rows.ravel(), (seen & ~rows).ravel()
    (index,) = np.nonzero(to_set | to_clear)
    triples = np.column_stack((index, to_set[index], to_clear[index]))
    return triples.astype("<u4").tobytes()
