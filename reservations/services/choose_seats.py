"""Which seats to try: those named, or groups ranked over the seat image, best first.

Python ranks, the script decides: ranking reads an image that may be old by the time the script
runs, so nothing here promises anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from config import clock
from config.errors import Invalid, StoreUnavailable
from reservations.availability import ranking
from reservations.availability.plans import Plan, Stretch
from reservations.availability.words import Words, words_of
from reservations.errors import NotEnoughSeats, NotOnSale, SeatUnavailable
from reservations.holds import store
from reservations.holds.members import seats_text
from reservations.services.refresh_image import load_image
from reservations.services.resolve_pin import resolve_pin
from trains.sale import SaleState

GROUPS: Final = 16
Preference = Literal["together", "window", "any"]


@dataclass(frozen=True, kw_only=True)
class SeatWish:
    """What is asked for: `seats` by label, or `count` of a class (None: any class)."""

    departure: int
    source: str
    destination: str
    seats: tuple[str, ...] = ()
    travel_class: str | None = None
    count: int = 0
    preference: Preference = "together"


def candidates(plan: Plan, stretch: Stretch, wish: SeatWish) -> list[str]:
    """Groups of seats in order of preference, as the lock script takes them.

    Empty when seats came free while we looked: try again. Raises `Invalid` (no such seat or
    class), `NotEnoughSeats`, `NotOnSale`.
    """
    train = plan.train
    if wish.seats:
        unknown = [label for label in wish.seats if label not in train.ordinal_of]
        if unknown:
            raise Invalid({"seats": [f"There is no seat {', '.join(unknown)}."]})
        return [_group(plan, stretch, [train.ordinal_of[label] for label in wish.seats])]
    if wish.travel_class is not None and wish.travel_class not in train.classes:
        raise Invalid({"travel_class": [f"{train.number} has no class {wish.travel_class}."]})
    ranked = ranking.rank(
        plan=train,
        taken=taken_now(plan),
        travel_class=wish.travel_class,
        stretch=stretch,
        count=wish.count,
        preference=wish.preference,
        limit=GROUPS,
    )
    if not ranked:
        _refuse_if_too_few(plan, stretch, wish)
    return [_group(plan, stretch, group) for group in ranked]


def taken_now(plan: Plan) -> Words:
    """The bits held or sold, loading the image if need be."""
    for _ in range(3):
        (image,) = store.read_images([plan.departure])
        if image.loaded:
            return words_of(image.held, plan.train) | words_of(image.sold, plan.train)
        load_image(departure=plan.departure)
    raise StoreUnavailable("The seat image does not stay loaded; try again.")


def resolve_overdue(holds: Sequence[str]) -> None:
    """Whoever meets pins that ran out ends them at once (rule 6)."""
    for hold in holds:
        resolve_pin(hold)


def seats_taken(plan: Plan, stretch: Stretch, labels: Sequence[str]) -> SeatUnavailable:
    """The refusal of seats asked for by name, with free ones of the same class nearby."""
    train = plan.train
    near = [train.ordinal_of[label] for label in labels]
    suggestions = ranking.suggest(
        train,
        taken_now(plan),
        stretch,
        travel_class=train.class_names[train.class_of[near[0]]],
        near=near,
    )
    return SeatUnavailable(list(labels), suggestions)


def not_on_sale(plan: Plan, stretch: Stretch) -> NotOnSale:
    """Why, in words; that it is so was the script's decision."""
    state = plan.sale_state(stretch, clock.now())
    if state is SaleState.CLOSED:
        return NotOnSale("This departure is closed.")
    if state is SaleState.NOT_YET_OPEN:
        return NotOnSale("The sale has not opened yet.", plan.sale_opens_at)
    return NotOnSale("The train has left the boarding stop.")


def _refuse_if_too_few(plan: Plan, stretch: Stretch, wish: SeatWish) -> None:
    """Too few seats are free, unless pins that ran out still keep some: those are ended first."""
    resolve_overdue(store.reap([plan.departure])[plan.departure][1])
    free = ranking.count_free(plan.train, taken_now(plan), stretch)
    # Without a class all seats are of one class, whichever has enough.
    number = max(free.values()) if wish.travel_class is None else free.get(wish.travel_class, 0)
    if number >= wish.count:
        return
    if plan.sale_state(stretch, clock.now()) is not SaleState.OPEN:
        raise not_on_sale(plan, stretch)
    raise NotEnoughSeats(number)


def _group(plan: Plan, stretch: Stretch, ordinals: Sequence[int]) -> str:
    """One candidate: the fare of all its seats, and the seats in ascending order."""
    train = plan.train
    ordered = tuple(sorted(int(ordinal) for ordinal in ordinals))
    fares = (plan.fare(stretch, train.class_names[train.class_of[each]]) for each in ordered)
    labels = tuple(train.labels[each] for each in ordered)
    return f"{sum(fares, Decimal(0))} {seats_text(ordered, labels)}"
