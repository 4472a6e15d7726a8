"""Every kind of lie is found, and a history that differs from it in one point is believed."""

from collections.abc import Callable

import pytest

from tests.history.events import Kind
from tests.history.judge import judge
from tests.history.telling import Story

Tell = Callable[[Story, bool], object]
TOLD: list[Tell] = []


def told(tell: Tell) -> Tell:
    """One history, told wrong and told right."""
    TOLD.append(tell)
    return tell


@told
def two_locks_of_one_leg(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1", legs="AC")
    story.lock(1, "b", "S1", legs="BD" if is_wrong else "CD")


@told
def two_locks_side_by_side(story: Story, is_wrong: bool) -> None:
    """Both won, sent in the same instant; or one was released before the other can have won."""
    story.lock(0, "a", "S1", took=0.5)
    story.lock(0, "b", "S1", took=0.5 if is_wrong else 1.5)
    story.release(0.6, "a")


@told
def a_lock_after_the_sale(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1")
    story.confirm(1, "a")
    if not is_wrong:
        story.cancel(2, "a")
    story.lock(3, "b", "S1", by="bela")


@told
def a_lost_booking(story: Story, is_wrong: bool) -> None:
    """Told 201, then the map shows the seat free, and nobody cancelled."""
    story.lock(0, "a", "S1")
    story.confirm(1, "a")
    story.seat_map(2, S1="free" if is_wrong else "sold")


@told
def a_booking_not_found(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1")
    story.confirm(1, "a")
    story.show(2 if is_wrong else 0.9, "a", 404)


@told
def a_confirm_after_the_deadline(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1")
    story.confirm(181 if is_wrong else 179.9, "a")


@told
def a_confirm_after_a_failed_one_had_pinned(story: Story, is_wrong: bool) -> None:
    """A confirm that may have pinned in time lets a later one succeed; one sent too late not."""
    story.lock(0, "a", "S1")
    story.confirm(181 if is_wrong else 179, "a", 503)
    story.confirm(185, "a")


@told
def a_confirm_after_release(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1")
    story.release(1, "a")
    story.confirm(2, "a", 201 if is_wrong else 410)


@told
def a_capability_brings_a_released_hold_back(story: Story, is_wrong: bool) -> None:
    """Redis lost its memory in between: a hold comes back, but not one that was let go."""
    story.lock(0, "a", "S1")
    if is_wrong:
        story.release(1, "a")
    story.sleep(2, 3)
    story.confirm(4, "a")


@told
def a_hold_vanishes(story: Story, is_wrong: bool) -> None:
    """Refused as expired while it had two minutes; excused if Redis lost its memory."""
    story.lock(0, "a", "S1")
    if not is_wrong:
        story.sleep(10, 11)
    story.confirm(60, "a", 410)


@told
def a_hold_outlives_its_deadline(story: Story, is_wrong: bool) -> None:
    """Another is refused the seat after the deadline (P7)."""
    story.lock(0, "a", "S1")
    story.refused(181 if is_wrong else 179.9, "S1", by="bela")


@told
def a_lock_before_the_deadline(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1")
    story.lock(179 if is_wrong else 180.01, "b", "S1", by="bela")


@told
def an_extension_that_does_nothing(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1")
    if is_wrong:
        story.extend(100, "a")
    story.lock(200, "b", "S1", by="bela")


@told
def two_pnrs_for_a_hold(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1")
    story.confirm(1, "a")
    story.confirm(2, "a", 200, pnr="OTHER" if is_wrong else "PNR-a")


@told
def one_pnr_for_two_holds(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1")
    story.lock(0, "b", "S2", fence=9, by="bela")
    story.confirm(1, "a")
    story.confirm(2, "b", pnr="PNR-a" if is_wrong else "PNR-b", by="bela")


@told
def a_seat_with_two_bookings(story: Story, is_wrong: bool) -> None:
    """P1: never, also not while Redis is gone. One of the two is refused."""
    story.lock(0, "a", "S1")
    story.sleep(1, 2)
    story.lock(3, "b", "S1", by="bela")
    story.confirm(4, "a")
    story.confirm(5, "b", 201 if is_wrong else 409, by="bela")


@told
def a_confirm_that_made_a_booking_twice(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1")
    story.confirm(1, "a")
    story.confirm(2, "a", 201 if is_wrong else 200)


@told
def a_booking_with_half_the_seats(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1", "S2")
    story.confirm(1, "a", seats=["S1"] if is_wrong else ["S2", "S1"])


@told
def a_lock_with_half_the_seats(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1", "S2", got=("S1",) if is_wrong else ("S1", "S2"))


@told
def a_lock_with_fewer_than_were_counted(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", count=2, got=("S1",) if is_wrong else ("S1", "S3"))


@told
def a_refused_lock_that_kept_a_seat(story: Story, is_wrong: bool) -> None:
    """All or none: Bela got nothing, so S2 must be free for Cara."""
    story.lock(0, "a", "S1")
    story.refused(1, "S1", free=("S2",), by="bela")
    if is_wrong:
        story.refused(2, "S2", by="cara")
    else:
        story.lock(2, "c", "S2", by="cara")


@told
def one_call_that_saw_two_moments(story: Story, is_wrong: bool) -> None:
    """Each seat alone can be explained: S1 before the release of both, S2 after it."""
    story.lock(0, "a", "S1", "S2")
    story.release(1, "a", took=1.0)
    story.refused(1.1, "S1", free=("S2",) if is_wrong else (), by="bela")


@told
def one_lock_that_took_two_moments(story: Story, is_wrong: bool) -> None:
    """S1 was free only before Bela's short hold, S2 only after Cara's."""
    story.lock(0, "c", "S2", by="cara")
    story.lock(1, "b", "S1", by="bela", took=0.3)
    story.release(2, "c", by="cara", took=0.3)
    story.lock(0.5, "a", "S1", "S2", took=4, fence=9)
    if not is_wrong:
        story.release(3, "b", by="bela")


@told
def refused_and_nobody_had_it(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1" if not is_wrong else "S2")
    story.refused(1, "S1", by="bela")


@told
def too_few_and_there_were_enough(story: Story, is_wrong: bool) -> None:
    if not is_wrong:
        story.lock(0, "a", "S1", took=2)
    answer = {"code": "not-enough-seats", "free": 2}
    story.add(
        Kind.LOCK, 1, told=409, count=3, stretch=("A", "C"), answer=answer, travel_class="SL",
        by="bela",
    )  # fmt: skip


@told
def a_cancelled_seat_that_never_comes_free(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1")
    story.confirm(1, "a")
    story.cancel(2, "a", took=0.5)
    story.refused(3 if is_wrong else 2.4, "S1", by="bela")


@told
def a_cancel_twice(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1")
    story.confirm(1, "a")
    story.cancel(2, "a")
    story.cancel(3, "a", 200 if is_wrong else 409)


@told
def a_repeat_with_another_answer(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1", key="k")
    story.lock(1, "b" if is_wrong else "a", "S1", key="k", fence=1)


@told
def a_repeat_refused_after_it_was_granted(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1", key="k")
    story.refused(1, "S1", key="k" if is_wrong else "l")


@told
def fences_going_back(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1", fence=5)
    story.lock(1, "b", "S2", fence=4 if is_wrong else 6)


@told
def a_fence_given_twice(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1", fence=5)
    story.lock(0, "b", "S2", fence=5 if is_wrong else 4)


@told
def an_extension_that_shortens(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1")
    story.extend(1, "a", lasts=60.0 if is_wrong else 180.0)


@told
def an_extension_past_the_cap(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1")
    story.extend(1, "a", lasts=601.0 if is_wrong else 598.0)


@told
def an_extension_of_a_hold_that_is_over(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1")
    story.extend(181 if is_wrong else 179, "a")


@told
def an_answer_from_nowhere(story: Story, is_wrong: bool) -> None:
    """Found made (200), but no confirm was ever sent that could have made it."""
    story.lock(0, "a", "S1")
    if not is_wrong:
        story.confirm(1, "a", None)
    story.confirm(2, "a", 200)


@told
def gone_after_it_was_booked(story: Story, is_wrong: bool) -> None:
    story.lock(0, "a", "S1")
    story.confirm(179, "a", 201 if is_wrong else None)
    story.confirm(181, "a", 410)


def test_seats_of_a_cancelled_booking_may_come_free_one_by_one() -> None:
    story = Story()
    story.lock(0, "a", "S1", "S2")
    story.confirm(1, "a")
    story.cancel(2, "a", took=1.0)
    story.seat_map(2.2, S1="sold", S2="free")
    assert judge(story.history).faults == ()


def test_a_hold_given_over_a_sold_seat_is_believed_only_where_redis_was_away() -> None:
    for slept in (True, False):
        story = Story()
        story.lock(0, "a", "S1")
        story.confirm(1.2, "a")
        story.lock(3, "b", "S1", "S2", by="bela")
        story.confirm(4, "b", 409, by="bela")
        if slept:
            story.sleep(1, 3.5)
        assert (judge(story.history).faults == ()) is slept


def test_a_lock_after_a_cancel_is_believed_though_redis_went_away_while_it_lived() -> None:
    """Where Redis is away a lock over a sold seat changes nothing; this one had its seat."""
    story = Story()
    story.late_seconds = 20.0  # until then the cancel may free its seats
    story.lock(0, "a", "S1")
    story.confirm(1, "a")
    story.cancel(2, "a")
    story.lock(3, "b", "S1", by="bela", legs="BC")
    story.seat_map(4, legs="AB", S1="free")
    story.seat_map(4.5, legs="BC", S1="held")
    story.sleep(100, 101)
    assert judge(story.history).faults == ()


@pytest.mark.parametrize("tell", TOLD, ids=lambda tell: tell.__name__)
def test_the_lie_is_found_and_the_truth_believed(tell: Tell) -> None:
    lie, truth = Story(), Story()
    tell(lie, True)
    tell(truth, False)
    judged = judge(lie.history)
    assert judged.faults, "the lie was believed"
    assert not judged.undecided
    assert judge(truth.history).faults == ()


def test_there_are_lies_of_many_kinds() -> None:
    assert len(TOLD) >= 30
    rules = set()
    for tell in TOLD:
        story = Story()
        tell(story, True)
        rules |= {
            fault.split(":")[0].split(" departure")[0] for fault in judge(story.history).faults
        }
    assert len(rules) == 10, rules


def test_a_deadline_on_the_second_comes_before_one_within_it() -> None:
    """They are written `…:01Z` and `…:01.100000Z`, which as texts sort the other way round."""
    story = Story()
    story.lock(0.99, "a", "S1", lasts=3)
    story.extend(1.09, "a", lasts=3)
    story.refused(4.05, "S1", by="bela")
    assert judge(story.history).faults == ()
