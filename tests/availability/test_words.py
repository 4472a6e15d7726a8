"""Images as arrays, the same bits the scripts read and write."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reservations.availability.stretches import Stretch
from reservations.availability.words import no_words, set_legs, words_of
from tests.availability.paper import paper_train, take

TRAIN = paper_train([("X", "GEN", 5)], legs=70)


def test_a_string_shorter_than_the_seats_says_the_rest_is_free() -> None:
    words = words_of(b"\x01\x00\x00\x00\x02", TRAIN)
    assert words.shape == (5, 3)
    assert words[0].tolist() == [1, 0, 0]
    assert not words[1:].any()


def test_a_string_longer_than_the_seats_is_cut() -> None:
    assert words_of(b"\xff" * 1000, TRAIN).shape == (5, 3)


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 69), st.integers(1, 70)).map(
            lambda row: (row[0], row[1], max(row[1] + 1, row[2]))
        ),
        max_size=12,
    )
)
def test_legs_set_together_are_those_set_one_by_one(rows: list[tuple[int, int, int]]) -> None:
    together, one_by_one = no_words(TRAIN), no_words(TRAIN)
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    set_legs(together, *columns)
    for ordinal, start, end in rows:
        take(TRAIN, one_by_one, [ordinal], Stretch(start, end))
    assert together.tolist() == one_by_one.tolist()
    assert words_of(together.tobytes(), TRAIN).tolist() == together.tolist()
