"""Codes and numbers: plain, namespaced, suffixed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trains import names
from trains.gtfs.numbers import CODE_LENGTH_MAX, CodeBook, clock_suffix, plain_code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("12951", "12951"),
        ("S 3 / Süd", "S-3-Sud"),
        ("  -x-  ", "x"),
        ("a.b_c-d", "a.b_c-d"),
        ("a/b:c", "a-b-c"),
        ("北7", "7"),
    ],
)
def test_codes_can_be_typed(text: str, code: str) -> None:
    assert plain_code(text) == code


def test_long_texts_and_foreign_scripts_end_in_a_hash_and_stay_apart() -> None:
    one, other = plain_code("x" * 60 + "1"), plain_code("x" * 60 + "2")
    assert one != other
    assert one.startswith("xxxxxxxx")
    assert plain_code("北京") != plain_code("上海")


@given(st.text(min_size=1), st.lists(st.text(min_size=1), max_size=4))
def test_every_code_given_is_one_the_api_takes(text: str, taken: list[str]) -> None:
    book = CodeBook("feed", own=[plain_code(text)], foreign=map(plain_code, taken), plain=[])
    codes = [book.give(text), book.give(text)]
    assert len({code.casefold() for code in codes}) == 2
    for code in codes:
        assert len(code) <= CODE_LENGTH_MAX
        assert re.match(names.STATION_CODE, code)
        assert re.match(names.TRAIN_NUMBER, code)


def test_a_code_is_namespaced_only_when_somebody_else_has_it() -> None:
    book = CodeBook("caltrain", own=[], foreign=["101", "Sf"], plain=[])
    assert [book.give("102"), book.give("101"), book.give("SF")] == [
        "102",
        "caltrain:101",
        "caltrain:SF",
    ]


def test_a_code_the_feed_has_already_gets_a_suffix_that_nothing_else_wants() -> None:
    book = CodeBook("f", own=["101"], foreign=["101-3"], plain=["101", "101-2"])
    assert [book.give("101"), book.give("101"), book.give("101-2")] == [
        "101-4",
        "101-5",
        "101-2",
    ]


def test_long_feed_codes_leave_room_for_the_number() -> None:
    book = CodeBook("f" * 40, own=[], foreign=["x" * 34], plain=[])
    code = book.give("x" * 34)
    assert code.startswith("f" * 15 + ":x")
    assert len(code) <= CODE_LENGTH_MAX


@pytest.mark.parametrize(
    ("seconds", "digits"), [(22_500, "0615"), (90_600, "2510"), (59, "000059"), (360_000, "10000")]
)
def test_a_time_of_the_service_day_as_digits(seconds: int, digits: str) -> None:
    assert clock_suffix(seconds) == digits
