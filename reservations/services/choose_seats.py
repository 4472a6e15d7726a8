"""Which seats to try: those named, or groups ranked over the seat image, best first.

Python ranks, the script decides: ranking reads an image that may be old by the time the script
runs, so nothing here promises anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from config import clock
from config.errors import Invalid, StoreUnavailable
from reservations.availability import ranking
from reservations.availability.berths import only_classes, only_positions, seat_party
from reservations.availability.plans import Plan, Stretch
from reservations.availability.waiting import parties_waiting, queues_of
from reservations.availability.words import Words, words_of
from reservations.bookings.passengers import Passenger
from reservations.errors import NotEnoughSeats, NotOnSale, SeatUnavailable
from reservations.holds import fare_text, store
from reservations.holds.images import Image
from reservations.holds.members import seats_text
from reservations.services.price_seats import price_group
from reservations.services.refresh_image import load_image
from reservations.services.resolve_pin import resolve_pin
from trains.errors import FareMissing
from trains.sale import SaleState

GROUPS: Final = 16
GROUPS_AS_WISHED: Final = 8  # of them at most so many of berths that were asked for
LOADS: Final = 3
FARES_REMEMBERED: Final = 16_384
Preference = Literal["together", "window", "any"]


@dataclass(frozen=True, kw_only=True)
class SeatWish:
    """What is asked for: `seats` by label, or `count` of a class (None: any class).

    `passengers`, one a seat or none at all, run beside `seats`; for a `count` they are seated by
    their berth preferences.
    """

    departure: int
    source: str
    destination: str
    seats: tuple[str, ...] = ()
    travel_class: str | None = None
    count: int = 0
    preference: Preference = "together"
    passengers: tuple[Passenger, ...] = ()


def candidates(plan: Plan, stretch: Stretch, wish: SeatWish) -> list[str]:
    """Groups of seats in order of preference, as the lock script takes them.

    Empty when seats came free while we looked: try again. Raises `Invalid` (no such seat or
    class), `NotEnoughSeats`, `NotOnSale`, `FareMissing`.
    """
    train = plan.train
    if wish.seats:
        unknown = [label for label in wish.seats if label not in train.ordinal_of]
        if unknown:
            raise Invalid({"seats": [f"There is no seat {', '.join(unknown)}."]})
        ordinals = [train.ordinal_of[label] for label in wish.seats]
        return [_group(plan, stretch, ordinals, wish)]
    if wish.travel_class is not None and wish.travel_class not in train.classes:
        raise Invalid({"travel_class": [f"{train.number} has no class {wish.travel_class}."]})
    classes = _classes_sold(plan, wish)
    ranked = _ranked(plan, stretch, wish, classes, taken_now(plan))
    if not ranked:
        _refuse_if_too_few(plan, stretch, wish, classes)
    return [_group(plan, stretch, group, wish) for group in ranked]


def groups_among(plan: Plan, stretch: Stretch, wish: SeatWish, taken: Words) -> list[str]:
    """Groups of the wish's class that are free in `taken`, for an offer; empty if there is none.

    Raises `FareMissing`.
    """
    ranked = _ranked(plan, stretch, wish, _classes_sold(plan, wish), taken)
    return [_group(plan, stretch, group, wish) for group in ranked]


def party(plan: Plan, ordinals: Sequence[int], wish: SeatWish) -> list[Passenger]:
    """The passengers in the order of `ordinals`, which is ascending; empty if nobody is named."""
    if not wish.passengers:
        return []
    if wish.seats:
        beside = {plan.train.ordinal_of[label]: i for i, label in enumerate(wish.seats)}
        order = [beside[ordinal] for ordinal in ordinals]
    else:
        positions = [plan.train.positions[ordinal] for ordinal in ordinals]
        order = seat_party(positions, [each.berth_preference for each in wish.passengers])
    return [wish.passengers[index] for index in order]


def _classes_sold(plan: Plan, wish: SeatWish) -> list[str]:
    """The class wished for, or all; without those that have no fare. Raises `FareMissing`."""
    asked = [wish.travel_class] if wish.travel_class else list(plan.train.class_names)
    sold = [name for name in asked if plan.has_fare(name)]
    if asked and not sold:
        raise FareMissing(asked[0], plan.service_date)
    return sold


def _ranked(
    plan: Plan, stretch: Stretch, wish: SeatWish, classes: Sequence[str], taken: Words
) -> list[Sequence[int]]:
    """Groups by rank; first those of the berths the party asks for, if there are such."""
    if len(classes) < len(plan.train.class_names):
        taken = only_classes(taken, plan.train, classes)

    def rank(words: Words, limit: int) -> list[Sequence[int]]:
        return list(
            ranking.rank(
                plan=plan.train,
                taken=words,
                travel_class=wish.travel_class,
                stretch=stretch,
                count=wish.count,
                preference=wish.preference,
                limit=limit,
            )
        )

    wishes = {each.berth_preference for each in wish.passengers if each.berth_preference}
    if not wishes:
        return rank(taken, GROUPS)
    first = rank(only_positions(taken, plan.train, wishes), GROUPS_AS_WISHED)
    return [*first, *rank(taken, GROUPS - len(first))]


def taken_now(plan: Plan) -> Words:
    """The bits held, sold or kept for who waits, loading the image if need be."""
    image = _image_now(plan)
    return taken_in(plan, image) | words_of(image.kept, plan.train)


def taken_in(plan: Plan, image: Image) -> Words:
    """The bits held or sold: what not even an offer may have."""
    return words_of(image.held, plan.train) | words_of(image.sold, plan.train)


def _image_now(plan: Plan) -> Image:
    for _ in range(LOADS):
        (image,) = store.read_images([plan.departure])
        if image.loaded:
            return image
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


def _refuse_if_too_few(
    plan: Plan, stretch: Stretch, wish: SeatWish, classes: Sequence[str]
) -> None:
    """Too few seats are free, unless pins that ran out still keep some: those are ended first."""
    resolve_overdue(store.reap([plan.departure])[plan.departure][1])
    image = _image_now(plan)
    taken = taken_in(plan, image) | words_of(image.kept, plan.train)
    free = ranking.count_free(plan.train, taken, stretch)
    # Without a class all seats are of one class, whichever has enough.
    number = max((free[name] for name in classes), default=0)
    if number >= wish.count:
        return
    if plan.sale_state(stretch, clock.now()) is not SaleState.OPEN:
        raise not_on_sale(plan, stretch)
    queues = queues_of(image.waiting)
    raise NotEnoughSeats(number, parties_waiting(queues, stretch, wish.travel_class))


def _group(plan: Plan, stretch: Stretch, ordinals: Sequence[int], wish: SeatWish) -> str:
    """One candidate: the fare of all its seats, and the seats in ascending order."""
    ordered = tuple(sorted(int(ordinal) for ordinal in ordinals))
    people = party(plan, ordered, wish)
    if people:
        fare = fare_text.write(price_group(plan, stretch, ordered, people), names_kept=True)
    else:
        classes = tuple(plan.train.class_of[each] for each in ordered)
        fare = _full_fare(plan, stretch, classes)
    labels = tuple(plan.train.labels[each] for each in ordered)
    return f"{fare} {seats_text(ordered, labels)}"


@lru_cache(maxsize=FARES_REMEMBERED)
def _full_fare(plan: Plan, stretch: Stretch, classes: tuple[int, ...]) -> str:
    """The fare of seats of these classes (indexes) for nobody in particular, as one word."""
    names = plan.train.class_names
    return fare_text.write([plan.seat_fare(stretch, names[each]) for each in classes])
