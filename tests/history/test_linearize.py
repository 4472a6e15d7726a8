"""The search itself: orders found, orders ruled out, and how much work it is."""

import itertools
import random
from collections.abc import Sequence
from math import inf

from tests.history.linearize import Action, linearize


def write(value: int, start: float, end: float, *, optional: bool = False) -> Action[int]:
    """A write must change the value: see what `Action` says of actions that only look."""

    def step(now: int) -> int | None:
        return value if now != value else None

    return Action(what=f"w{value}", start=start, end=end, step=step, optional=optional)


def read(value: int, start: float, end: float) -> Action[int]:
    return Action(
        what=f"r{value}", start=start, end=end, step=lambda now: now if now == value else None
    )


def test_a_read_beside_a_write_may_see_either() -> None:
    for seen in (0, 1):
        assert linearize([write(1, 0, 10), read(seen, 1, 2)], 0).explained


def test_a_read_after_a_write_must_see_it() -> None:
    assert not linearize([write(1, 0, 1), read(0, 2, 3)], 0).explained


def test_reads_may_not_go_back() -> None:
    history = [write(1, 0, 10), read(1, 1, 2), read(0, 3, 4)]
    verdict = linearize(history, 0)
    assert not verdict.explained
    assert verdict.stuck_at == ("r0",)


def test_a_write_without_an_answer_may_happen_late_or_never() -> None:
    lost = write(1, 0, inf, optional=True)
    assert linearize([lost, read(0, 1, 2)], 0).explained
    assert linearize([lost, read(0, 1, 2), read(1, 3, 4)], 0).explained
    assert not linearize([lost, read(1, 1, 2), read(0, 3, 4)], 0).explained


def test_what_comes_after_another_is_not_taken_before_it() -> None:
    first = write(1, 0, 10)
    second = Action[int](what="w2", start=0, end=1, step=lambda _: 2, after=first)
    assert linearize([first, second, read(2, 5, 6)], 0).explained
    assert not linearize([first, second, read(1, 5, 6)], 0).explained


def test_a_search_that_is_given_up_says_so() -> None:
    history = [write(n, 0, 10) for n in range(1, 13)] + [read(99, 20, 21)]
    verdict = linearize(history, 0, bound=50)
    assert not verdict.explained
    assert not verdict.is_decided
    assert linearize(history[:6] + history[-1:], 0).is_decided


def test_many_looks_at_once_are_no_work() -> None:
    looks = [read(1, 0.5, 10) for _ in range(300)]
    verdict = linearize([write(1, 0, 1), *looks], 0)
    assert verdict.explained
    assert verdict.configurations < 10


def is_explained(history: Sequence[Action[int]]) -> bool:
    """The definition, tried on every order."""
    required = [action for action in history if not action.optional]
    lost = [action for action in history if action.optional]
    for number in range(len(lost) + 1):
        for chosen in itertools.combinations(lost, number):
            for order in itertools.permutations([*required, *chosen]):
                if _respects_time(order) and _runs(order):
                    return True
    return False


def _respects_time(order: Sequence[Action[int]]) -> bool:
    return not any(
        later.end < earlier.start for at, earlier in enumerate(order) for later in order[at + 1 :]
    )


def _runs(order: Sequence[Action[int]]) -> bool:
    state = 0
    for action in order:
        after = action.step(state)
        if after is None:
            return False
        state = after
    return True


def test_it_agrees_with_the_definition_on_random_histories() -> None:
    chance = random.Random(7)
    verdicts = []
    for _ in range(400):
        history = []
        for _ in range(chance.randint(2, 6)):
            start = chance.random()
            end = start + chance.random() * 0.6
            value = chance.randint(0, 2)
            if chance.random() < 0.5:
                history.append(read(value, start, end))
            else:
                lost = chance.random() < 0.3
                history.append(write(value, start, inf if lost else end, optional=lost))
        expected = is_explained(history)
        assert linearize(history, 0).explained == expected, history
        verdicts.append(expected)
    assert 50 < sum(verdicts) < 350, sum(verdicts)
