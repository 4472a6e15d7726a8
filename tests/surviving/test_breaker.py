"""The breaker by itself: its states, by a clock the test turns, and its one trial among threads."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from config.stores.breaker import Breaker, Event, Limits, Pass


class Turned:
    """A breaker (3 failures, 1 s) on a clock that only the test moves, and what it told."""

    def __init__(self) -> None:
        self.now = 100.0
        self.told: list[Event] = []
        limits = Limits(failures=3, open_seconds=1.0)
        self.breaker = Breaker(limits, self.told.append, clock=lambda: self.now)

    def state(self) -> str:
        return self.breaker.state.value

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            passed = self.breaker.ask()
            assert passed is not Pass.NO
            self.breaker.failed(passed)

    def trial(self) -> Pass:
        self.now += 1.0
        passed = self.breaker.ask()
        assert passed is Pass.TRIAL
        return passed


@pytest.fixture
def turned() -> Turned:
    return Turned()


def test_it_opens_after_three_failures_in_a_row_and_then_refuses(turned: Turned) -> None:
    turned.fail(2)
    assert turned.state() == "closed"
    turned.fail()
    assert turned.state() == "open"
    assert [turned.breaker.ask() for _ in range(3)] == [Pass.NO] * 3
    assert turned.told == [Event.OPENED, *[Event.REFUSED] * 3]


def test_a_success_in_between_begins_the_count_again(turned: Turned) -> None:
    turned.fail(2)
    turned.breaker.succeeded(turned.breaker.ask())
    turned.fail(2)
    assert turned.state() == "closed"


def test_after_its_time_one_may_try_and_its_success_closes_it(turned: Turned) -> None:
    turned.fail(3)
    turned.now += 0.99
    assert turned.breaker.ask() is Pass.NO
    turned.now += 0.02
    assert turned.state() == "half-open"
    assert [turned.breaker.ask() for _ in range(3)] == [Pass.TRIAL, Pass.NO, Pass.NO]
    turned.breaker.succeeded(Pass.TRIAL)
    assert turned.state() == "closed"
    assert turned.breaker.ask() is Pass.CALL
    turned.fail(2)
    assert turned.state() == "closed"  # the count began again, too


def test_a_trial_that_fails_opens_it_for_as_long_again(turned: Turned) -> None:
    turned.fail(3)
    turned.breaker.failed(turned.trial())
    assert turned.breaker.ask() is Pass.NO
    turned.breaker.succeeded(turned.trial())
    assert turned.told.count(Event.OPENED) == 1  # said once, however often it was tried
    assert turned.told[-1] is Event.CLOSED


def test_calls_from_before_it_opened_neither_close_it_nor_keep_it_open(turned: Turned) -> None:
    slow = turned.breaker.ask()
    turned.fail(3)
    turned.breaker.succeeded(slow)
    assert turned.state() == "open"
    turned.now += 0.9
    turned.breaker.failed(slow)
    assert turned.trial() is Pass.TRIAL  # a second after it opened, not after the late failure


def test_of_many_threads_one_tries(turned: Turned) -> None:
    turned.fail(3)
    turned.now += 1.0
    together = Barrier(16)

    def ask(_: int) -> Pass:
        together.wait()
        return turned.breaker.ask()

    with ThreadPoolExecutor(16) as pool:
        for _ in range(20):
            passes = list(pool.map(ask, range(16)))
            assert sorted(each.value for each in passes) == ["no"] * 15 + ["trial"]
            turned.breaker.failed(Pass.TRIAL)
            turned.now += 1.0
