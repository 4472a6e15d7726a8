"""lock and refresh_end while somebody waits for seats: what the mark keeps, and from whom."""

from config.stores.redis import holds_store
from reservations.holds import store
from reservations.holds.scripts import Outcome
from tests.scripts import bench
from tests.scripts.watching import Watcher

KEPT = (0b1111).to_bytes(4, "little")
NOT_KEPT = bytes(4)


def mark(*kept: bytes) -> Outcome:
    """Somebody waits, and these words of the seats are kept; nothing given: nobody does."""
    begun, waiting = bench.begin("mark"), "1 party" if kept else ""
    return bench.end(begun, scope="some", kept=b"".join(kept), waiting=waiting)


def test_a_kept_seat_is_taken_and_the_others_are_what_they_were() -> None:
    bench.take(0)
    assert mark(NOT_KEPT, KEPT, NOT_KEPT) is Outcome.DONE
    assert bench.ask(1, user=2) is Outcome.TAKEN
    assert bench.ask(0, user=2) is Outcome.TAKEN, "held by the first, whoever waits"
    assert bench.ask(2, user=2) is Outcome.HELD


def test_a_seat_that_was_sold_stays_taken_while_somebody_waits_for_another() -> None:
    assert store.settle(bench.take(0).ref)
    mark(NOT_KEPT, KEPT)
    assert bench.ask(0, user=2) is Outcome.TAKEN


def test_an_offer_has_what_is_kept_and_is_stale_when_it_went() -> None:
    mark(KEPT)
    offers = [store.lock(bench.request(0, user=user), mode="offer") for user in (1, 2)]
    assert [offer.outcome for offer in offers] == [Outcome.HELD, Outcome.STALE]


def test_the_mark_goes_with_who_waits() -> None:
    mark(KEPT)
    mark()
    assert not holds_store().exists(bench.key("waiting"))
    assert bench.ask(0) is Outcome.HELD


def test_a_mark_that_changed_is_told_to_who_watches(watcher: Watcher) -> None:
    """A seat that is kept turns held under their eyes."""
    mark(KEPT)
    assert watcher.count() == 1


def test_a_view_has_what_is_kept_and_the_line_that_says_for_whom() -> None:
    mark(NOT_KEPT, KEPT)
    seen = bench.image()
    assert (seen.kept, seen.waiting) == (NOT_KEPT + KEPT, "1 party")
