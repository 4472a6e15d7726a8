"""Legs as bits: what the scripts, the image and Python must agree on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reservations.availability.stretches import Stretch, pack_mask, words_for


@pytest.mark.parametrize(("legs", "words"), [(1, 1), (32, 1), (33, 2), (64, 2), (127, 4)])
def test_a_seat_takes_a_word_for_each_32_legs(legs: int, words: int) -> None:
    assert words_for(legs) == words


def test_leg_k_is_bit_k_of_the_first_word_low_byte_first() -> None:
    assert pack_mask(0, 1, 1) == b"\x01\x00\x00\x00"
    assert pack_mask(8, 10, 1) == b"\x00\x03\x00\x00"
    assert pack_mask(31, 33, 2) == b"\x00\x00\x00\x80\x01\x00\x00\x00"


@given(st.data())
def test_exactly_the_legs_of_the_stretch_are_set(data: st.DataObject) -> None:
    words = data.draw(st.integers(1, 4))
    start = data.draw(st.integers(0, words * 32 - 1))
    end = data.draw(st.integers(start + 1, words * 32))
    as_words = np.frombuffer(pack_mask(start, end, words), "<u4")
    legs = [leg for leg in range(words * 32) if int(as_words[leg // 32]) >> (leg % 32) & 1]
    assert legs == list(range(start, end))


@pytest.mark.parametrize(("start", "end"), [(3, 3), (4, 3), (-1, 2), (0, 33)])
def test_a_range_that_is_no_stretch_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        pack_mask(start, end, 1)


def test_stretches_that_touch_do_not_overlap() -> None:
    assert not Stretch(0, 3).overlaps(Stretch(3, 5))
    assert Stretch(0, 4).overlaps(Stretch(3, 5))
