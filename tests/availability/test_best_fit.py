"""The seat whose free gap is closest to the stretch goes first; long journeys stay sellable."""

from dataclasses import dataclass

import numpy as np

from reservations.availability.ranking import count_free, free_mask, rank
from reservations.availability.stretches import Stretch
from tests.availability.paper import nothing_taken, paper_train, take
from tests.availability.ranked import BUS, LONG, SLEEPER, first, labels


class TestBestFit:
    def test_the_seat_whose_gap_is_closest_to_the_stretch_goes_first(self) -> None:
        taken = nothing_taken(BUS)
        take(BUS, taken, "B-7", Stretch(0, 2))
        take(BUS, taken, "B-7", Stretch(5, 8))
        take(BUS, taken, "B-20", Stretch(0, 2))
        assert first(BUS, taken, Stretch(2, 5), 1) == ["B-7"]
        assert first(BUS, taken, Stretch(2, 8), 1) == ["B-20"]

    def test_a_gap_across_the_border_of_a_word_counts_whole(self) -> None:
        plan = paper_train([("B", "BUS-2x2-40", 4)], legs=70)
        taken = nothing_taken(plan)
        take(plan, taken, "B-3", Stretch(0, 31))
        take(plan, taken, "B-3", Stretch(65, 70))
        assert first(plan, taken, Stretch(31, 65), 1) == ["B-3"]

    def test_among_seats_together_those_that_fit_go_first(self) -> None:
        taken = nothing_taken(SLEEPER)
        take(SLEEPER, taken, "S1-17 S1-20 S1-22", Stretch(0, 4))
        assert first(SLEEPER, taken, Stretch(4, 8), 3) == ["S1-17 S1-20 S1-22"]

    def test_any_takes_what_fits_wherever_it_is(self) -> None:
        taken = nothing_taken(SLEEPER)
        take(SLEEPER, taken, "S1-17 S2-3", Stretch(0, 4))
        groups = rank(
            plan=SLEEPER,
            taken=taken,
            travel_class="SL",
            stretch=Stretch(4, 8),
            count=2,
            preference="any",
        )
        assert labels(SLEEPER, groups)[0] == "S1-17 S2-3"

    def test_long_journeys_stay_sellable_as_by_first_fit_and_longer_than_by_chance(self) -> None:
        """Parties of one to four buy short journeys until half of all seat-legs is gone.

        How many seats are left whole, and do they sit in one bay? First fit packs as well, but
        everybody fights over its first seats, and a quarter of the parties are scattered.
        """
        sold = {
            way: [_sell_half(way, seed) for seed in range(12)]
            for way in ("ranked", "first", "chance")
        }
        left = {way: sum(sale.left_whole for sale in sales) for way, sales in sold.items()}
        together = {way: sum(sale.together for sale in sales) for way, sales in sold.items()}
        parties = {way: sum(sale.parties for sale in sales) for way, sales in sold.items()}
        assert left["ranked"] > left["first"] * 0.95
        assert left["ranked"] > left["chance"] * 10
        assert together["ranked"] > parties["ranked"] * 0.99
        assert together["first"] < parties["first"] * 0.85


@dataclass
class _Sale:
    """How many parties bought, how many of them sit in one bay, and the seats left whole."""

    parties: int = 0
    together: int = 0
    left_whole: int = 0


def _sell_half(way: str, seed: int) -> _Sale:
    rng = np.random.default_rng(seed)
    taken = nothing_taken(LONG)
    sale, sold = _Sale(), 0
    while sold < LONG.places * LONG.legs // 2:
        count, length = int(rng.integers(1, 5)), int(rng.integers(1, 9))
        start = int(rng.integers(0, LONG.legs - length + 1))
        stretch = Stretch(start, start + length)
        free = np.flatnonzero(free_mask(LONG, taken, stretch))
        if free.size < count:
            continue
        if way == "ranked":
            (seats,) = rank(
                plan=LONG,
                taken=taken,
                travel_class="SL",
                stretch=stretch,
                count=count,
                limit=1,
                rng=rng,
            )
        elif way == "first":
            seats = tuple(free[:count].tolist())
        else:
            seats = tuple(rng.choice(free, count, replace=False).tolist())
        take(LONG, taken, seats, stretch)
        sold += count * length
        sale.parties += 1
        bays = {(LONG.coach_of[seat], (LONG.numbers[seat] - 1) // 8) for seat in seats}
        sale.together += len(bays) == 1
    sale.left_whole = count_free(LONG, taken, Stretch(0, LONG.legs))["SL"]
    return sale
