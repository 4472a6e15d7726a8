"""Cancel against confirms of the same seat: the image ends as the rows are (rule 7)."""

import pytest

from config.outbox.consumers import consume_pending
from tests.race.fixtures import Race
from tests.race.invariants import check
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_cancel_before_the_settle_of_its_booking_frees_the_seat(
    race: Race, departure: Departure
) -> None:
    """The booking is there, its confirm has not settled; a second client cancels it.

    confirm   INSERT ...................... settle
    cancel            UPDATE, refresh
    """
    owner, rival = race.riders(2)
    hold = owner.hold(departure, "S1-1")
    slow = race.start(owner.confirm, hold, stop="insert.after").reached()
    (booking,) = owner.send("GET", "reservations/bookings/").body["results"]
    assert owner.cancel(booking["pnr"]).status == 200
    assert slow.go().result().status == 201
    check(departure, holds=0)
    assert rival.lock(departure, "S1-1").status == 201


def rebooked_during_a_late_refresh(
    race: Race, departure: Departure, *, stops: str, without: str = ""
) -> int:
    """A cancel's refresh is late: the outbox has freed the seat, a rival books it meanwhile.

    With `refresh_end.before` alone, the rival comes after the outbox moved the epoch:

        cancel    UPDATE   a ..... b (no row) ........................ c
        outbox                             refresh: epoch moves
        rival                                       lock, confirm

    With `refresh_begin.before` first, the outbox is earlier, and nothing moves the epoch:

        cancel    UPDATE ................... a ..... b (no row) ...... c
        outbox             refresh
        rival                                               lock, confirm: settle only adds
    """
    owner, rival, third = race.riders(3)
    pnr = owner.book(departure, "S1-1")
    consume_pending()
    late = race.start(owner.cancel, pnr, stop=stops, without=without).reached()
    consume_pending()
    if stops.startswith("refresh_begin"):
        late.go().reached()
    rival.book(departure, "S1-1")
    assert late.go().result().status == 200
    return third.lock(departure, "S1-1").status


def test_a_refresh_that_read_before_the_rebooking_begins_again(
    race: Race, departure: Departure
) -> None:
    assert rebooked_during_a_late_refresh(race, departure, stops="refresh_end.before") == 409
    check(departure, holds=0)


def test_without_the_epoch_it_shows_the_rebooked_seat_as_free(
    race: Race, departure: Departure
) -> None:
    status = rebooked_during_a_late_refresh(
        race, departure, stops="refresh_end.before", without="epoch"
    )
    assert status == 201
    with pytest.raises(AssertionError, match="sold bits are not the rows"):
        check(departure)


def test_a_refresh_clears_only_bits_it_saw_set(race: Race, departure: Departure) -> None:
    stops = "refresh_begin.before refresh_end.before"
    assert rebooked_during_a_late_refresh(race, departure, stops=stops) == 409
    check(departure, holds=0)


def test_if_it_cleared_whatever_no_row_names_a_seat_sold_meanwhile_would_be_free(
    race: Race, departure: Departure
) -> None:
    stops = "refresh_begin.before refresh_end.before"
    status = rebooked_during_a_late_refresh(race, departure, stops=stops, without="only-bits-seen")
    assert status == 201
    with pytest.raises(AssertionError, match="sold bits are not the rows"):
        check(departure)
