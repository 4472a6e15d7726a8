"""Who sells seats hears of changes without being known."""

import logging

import pytest

from trains import hooks
from trains.services.touch_departures import touch_departures


@pytest.fixture(autouse=True)
def _nobody_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_listeners", [])
    monkeypatch.setattr(hooks, "_guards", [])


def test_every_listener_hears_once_however_often_it_registers() -> None:
    heard: list[object] = []

    def listener(ids: object) -> None:
        heard.append(ids)

    hooks.register_listener(listener)
    hooks.register_listener(listener)
    hooks.announce_changed([1, 2])
    assert heard == [[1, 2]]


def test_a_listener_that_fails_neither_raises_nor_silences_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[object] = []

    def broken(ids: object) -> None:
        raise ConnectionError(ids)

    hooks.register_listener(broken)
    hooks.register_listener(heard.append)
    with caplog.at_level(logging.WARNING):
        hooks.announce_changed([7])
    assert heard == [[7]]
    assert "missed 1 changed departures" in caplog.text


def test_nothing_is_announced_when_nothing_changed() -> None:
    heard: list[object] = []
    hooks.register_listener(heard.append)
    hooks.announce_changed([])
    assert heard == []


def test_one_guard_that_says_so_is_enough() -> None:
    hooks.register_guard({7}.intersection)
    hooks.register_guard({2}.intersection)
    assert hooks.trains_with_sales([1, 2, 3]) == {2}
    assert hooks.trains_with_sales([1]) == set()


def test_without_guards_no_train_has_sales() -> None:
    assert hooks.trains_with_sales([1, 2]) == set()


@pytest.mark.django_db(transaction=True)
def test_a_change_outside_a_transaction_is_a_programming_error() -> None:
    with pytest.raises(RuntimeError, match="one transaction"):
        touch_departures(fields=["status"], actor_id=None, departure_ids=[1])
