"""The table of an entry's states, held against every pair of them."""

from itertools import product

import pytest
from django.db import transaction

from config.outbox.models import OutboxEvent
from reservations.models import Booking
from reservations.waitlist.models import Entry, EntryMail
from reservations.waitlist.record import MAILED, move
from reservations.waitlist.states import ENTRY_MOVES, IN_QUEUE, STAGE, TOLD, EntryState
from tests.engine import Traveller
from tests.waitlist.conftest import join
from trains.models import Departure

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(run: Departure, sold: list[str], anna: Traveller) -> Entry:
    return Entry.objects.get(key=join(anna, run))


def booking_for(to: EntryState) -> Booking | None:
    return Booking.objects.first() if to is EntryState.CONFIRMED else None


def put(entry: Entry, was: EntryState) -> None:
    entry.state, entry.booking, entry.passengers = was, booking_for(was), [{"name": "Asha"}]
    entry.save()


def test_every_pair_of_states(entry: Entry) -> None:
    legal = set()
    for was, to in product(EntryState, EntryState):
        with transaction.atomic():
            put(entry, was)
            before = (OutboxEvent.objects.count(), EntryMail.objects.count())
            try:
                move(entry, to, booking=booking_for(to))
            except AssertionError:
                entry.refresh_from_db()
                assert entry.state == was
                after = (OutboxEvent.objects.count(), EntryMail.objects.count())
                assert after == before
            else:
                legal.add((was, to))
                entry.refresh_from_db()
                assert entry.state == to
                assert (entry.ended_at is None) == (to in IN_QUEUE)
                assert bool(entry.passengers) == (to in IN_QUEUE), "names outlive the entry"
                told = OutboxEvent.objects.latest("id")
                assert told.kind == f"waitlist.{TOLD[to]}"
                assert EntryMail.objects.filter(event_id=told.event_id).exists() == (to in MAILED)
            transaction.set_rollback(True)
        entry.refresh_from_db()
    assert legal == ENTRY_MOVES


def test_every_move_has_a_word_and_a_stage_and_ends_are_last() -> None:
    assert set(TOLD) == set(EntryState)
    assert set(STAGE) == {"joined", *TOLD.values()}
    ends = {TOLD[state] for state in EntryState if state not in IN_QUEUE}
    assert {STAGE[end] for end in ends} == {max(STAGE.values())}
    assert {to for was, to in ENTRY_MOVES if was in IN_QUEUE} == set(EntryState)
    assert not [was for was, _ in ENTRY_MOVES if was not in IN_QUEUE], "an end is an end"


def test_facts_name_ids_and_no_person(entry: Entry) -> None:
    entry.passengers = [{"name": "Asha Kshatriya", "age": 33}]
    entry.save()
    for to in (EntryState.OFFERED, EntryState.WAITING, EntryState.LEFT):
        move(entry, to, why="lost")
    facts = OutboxEvent.objects.filter(subject=f"waitlist:{entry.key}").order_by("id")
    assert [(fact.kind, fact.stage, fact.number) for fact in facts] == [
        ("waitlist.joined", 1, 0),
        ("waitlist.offered", 2, 1),
        ("waitlist.requeued", 2, 2),
        ("waitlist.left", 3, 0),
    ]
    assert not [fact for fact in facts if "Asha" in str(fact.body) or "anna" in str(fact.body)]
