"""A coach as it is built: where each seat stands, in pixels, from its vehicle template.

Pure. The coach lies on its side, the train runs to the left: along the coach is x, across it is y.

    bays     berths above each other are drawn side by side, the lower one at the window; side
             berths lie beyond the aisle, one after the other along the bay
    rows     seats as they stand; every deck is a coach body of its own
    nothing  a coach that no template describes is drawn as rows of 2 + 2
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reservations.availability.train_plan import PlannedCoach

CELL: Final = 46
SEAT: Final = 40
BERTH: Final = 70
BAY_GAP: Final = 18
AISLE: Final = 26
SIDE: Final = 18
NOSE: Final = 44
TAIL: Final = 28
DECK_GAP: Final = 34
SIDE_BERTHS: Final = frozenset({"side-lower", "side-middle", "side-upper"})
_TWO_AND_TWO: Final = ((0.0, 0.0, 0), (1.0, 0.0, 0), (3.0, 0.0, 0), (4.0, 0.0, 0))


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def half(self) -> str:
        """Half its width, as SVG has numbers."""
        return f"{self.width / 2:g}"

    @property
    def middle_y(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class Body:
    """One deck's outline with its aisles, and the lines between bays (x of each)."""

    deck: int
    outline: Box
    aisles: tuple[Box, ...]
    dividers: tuple[float, ...]


@dataclass(frozen=True)
class Drawing:
    """The whole picture; `seats` by seat number."""

    width: float
    height: float
    bodies: tuple[Body, ...]
    seats: Mapping[int, Box]
    is_bay: bool
    decks: int


@dataclass(frozen=True)
class _Unit:
    """One bay or row: its places relative to its own left, on a deck; how long it is."""

    boxes: tuple[tuple[int, Box], ...]
    length: float
    height: float
    aisles: tuple[tuple[float, float], ...]


def draw(coach: PlannedCoach, positions: Mapping[int, str]) -> Drawing:
    """Draw a coach. `positions`: of each seat that is there, by number."""
    places = coach.places or _TWO_AND_TWO
    kinds = _kinds(places, positions)
    is_bay = coach.unit == "bay"
    unit = _bay(places, kinds) if is_bay else _row(places, kinds)
    gap = float(BAY_GAP if is_bay else 0)
    units = -(-max(positions, default=1) // len(places))
    inner = units * (unit.length + gap) - gap
    decks = 1 if is_bay else 1 + max(deck for _, _, deck in places)
    outlines = [
        Box(
            0,
            deck * (unit.height + 2 * SIDE + DECK_GAP),
            NOSE + inner + TAIL,
            unit.height + 2 * SIDE,
        )
        for deck in range(decks)
    ]
    lefts = [NOSE + at * (unit.length + gap) for at in range(units)]
    bodies = tuple(_body(deck, box, unit, lefts, gap) for deck, box in enumerate(outlines))
    seats = {}
    for number in positions:
        at, place = divmod(number - 1, len(places))
        deck, box = unit.boxes[place]
        top = outlines[deck].y + SIDE
        seats[number] = Box(lefts[at] + box.x, top + box.y, box.width, box.height)
    return Drawing(
        width=outlines[-1].width,
        height=outlines[-1].bottom,
        bodies=bodies,
        seats=seats,
        is_bay=is_bay,
        decks=decks,
    )


def _body(deck: int, box: Box, unit: _Unit, lefts: Sequence[float], gap: float) -> Body:
    aisles = tuple(
        Box(box.x + 12, box.y + SIDE + top, box.width - 24, height) for top, height in unit.aisles
    )
    dividers = tuple(left - gap / 2 for left in lefts[1:]) if gap else ()
    return Body(deck=deck, outline=box, aisles=aisles, dividers=dividers)


def _kinds(
    places: Sequence[tuple[float, float, int]], positions: Mapping[int, str]
) -> dict[int, str]:
    """The position of each place of the unit, read off the seats that stand there."""
    found: dict[int, str] = {}
    for number, position in positions.items():
        found.setdefault((number - 1) % len(places), position)
    return found


def _bay(places: Sequence[tuple[float, float, int]], kinds: Mapping[int, str]) -> _Unit:
    side = [at for at in range(len(places)) if kinds.get(at, "") in SIDE_BERTHS]
    main = [at for at in range(len(places)) if at not in side]
    columns = sorted({places[at][1] for at in main}) or [0.0]
    rows = sorted({(places[at][0], places[at][2]) for at in main})
    length = len(columns) * CELL + (10 if len(columns) > 1 else 0) - (CELL - SEAT)
    boxes: dict[int, tuple[int, Box]] = {}
    for at in main:
        x, y, deck = places[at]
        column = columns.index(y)
        left = float(column * CELL + (10 if column else 0))
        boxes[at] = (0, Box(left, rows.index((x, deck)) * CELL, SEAT, SEAT))
    bottom = len(rows) * CELL - (CELL - SEAT)
    if not side:
        return _Unit(_in_order(boxes, len(places)), length, bottom + AISLE, ((bottom, AISLE),))
    width = (length - (len(side) - 1) * (CELL - SEAT)) / len(side)
    for order, at in enumerate(side):
        left = order * (width + CELL - SEAT)
        boxes[at] = (0, Box(left, bottom + AISLE, width, SEAT))
    height = bottom + AISLE + SEAT
    return _Unit(_in_order(boxes, len(places)), length, height, ((bottom, AISLE),))


def _row(places: Sequence[tuple[float, float, int]], kinds: Mapping[int, str]) -> _Unit:
    is_berth = any(kind in {"lower", "upper"} for kind in kinds.values())
    along = BERTH if is_berth else SEAT
    pitch = along + CELL - SEAT
    columns = sorted({x for x, _, _ in places})
    tops, aisles, top = {}, [], 0.0
    for index, x in enumerate(columns):
        if index and x - columns[index - 1] > 1:
            aisles.append((top - (CELL - SEAT) / 2, AISLE))
            top += AISLE
        tops[x] = top
        top += CELL
    ys = sorted({y for _, y, _ in places})
    boxes = {
        at: (deck, Box(ys.index(y) * pitch, tops[x], along, SEAT))
        for at, (x, y, deck) in enumerate(places)
    }
    height = top - (CELL - SEAT)
    return _Unit(_in_order(boxes, len(places)), len(ys) * pitch, height, tuple(aisles))


def _in_order(boxes: Mapping[int, tuple[int, Box]], size: int) -> tuple[tuple[int, Box], ...]:
    return tuple(boxes[at] for at in range(size))
