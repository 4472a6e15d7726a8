"""A bug the simulator found: two restarts of Redis within one call were an `internal` error."""

import pytest

from config.stores.redis import HoldsStore, holds_store
from reservations.holds import store
from trains.models import Departure


def test_scripts_forgotten_again_right_after_they_were_loaded_are_loaded_once_more(
    departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds_store().script_flush()
    load = HoldsStore.script_load

    def load_and_restart(self: HoldsStore, text: str) -> object:
        loaded = load(self, text)
        self.script_flush()
        return loaded

    monkeypatch.setattr(HoldsStore, "script_load", load_and_restart)
    (image,) = store.read_images([departure.pk])
    assert not image.loaded
