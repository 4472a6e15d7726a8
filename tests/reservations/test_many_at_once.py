"""Many locks, confirms and counts in one call: the answers and promises of one by one."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import redis
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.errors import Invalid, NotFound, SeatlockError, StoreUnavailable
from config.idempotency.models import IdempotencyKey
from config.outbox.consumers import consume_pending
from config.outbox.models import OutboxEvent
from config.stores.redis import holds_store
from reservations.api.bodies import booking_body
from reservations.api.door import encode
from reservations.availability.count_many import StretchAsk, count_many
from reservations.bookings import insert
from reservations.bookings.insert import Verdict, insert_booking, insert_bookings
from reservations.bookings.passengers import Passenger
from reservations.errors import HoldExpired, LimitReached, SeatAlreadyBooked, SeatUnavailable
from reservations.holds import batches, ids, store
from reservations.models import BookedSeat, Booking
from reservations.services import confirm_booking
from reservations.services import confirm_bookings as together
from reservations.services.choose_seats import SeatWish
from reservations.services.confirm_booking import Confirmed, KeyKnown
from reservations.services.confirm_bookings import ConfirmAsk, confirm_bookings
from reservations.services.hold_many import LockAsk, hold_many
from reservations.services.hold_seats import Owner, RequestKey
from reservations.services.hold_view import HoldView
from tests.availability import railway
from tests.engine import Traveller
from tests.promises.guards import table_without
from tests.promises.test_confirm_crashes import lost_before
from tests.promises.test_p1_never_sold_twice import new_booking
from tests.race.invariants import check, sold_twice
from tests.reservations.test_hold_seats import wish
from trains.models import Departure
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)
ANNA = (Passenger("Anna"),)


def owner(traveller: Traveller) -> Owner:
    return Owner(traveller.user.pk, traveller.sid)


def ask_for(who: Traveller, departure: Departure, *seats: str, **fields: Any) -> LockAsk:
    wish = SeatWish(departure=departure.pk, source="AAA", destination="EEE", seats=seats, **fields)
    return LockAsk(owner(who), wish)


@pytest.fixture
def many(make_traveller: Any) -> list[Traveller]:
    return [make_traveller(f"rider{number}") for number in range(6)]


def hold_each(many: Sequence[Traveller], departure: Departure) -> list[ConfirmAsk]:
    """A hold of one seat for each, S1-1 for the first."""
    asks = [ask_for(who, departure, f"S1-{at + 1}") for at, who in enumerate(many)]
    return [
        ConfirmAsk(owner=ask.owner, hold=made.hold, capability=made.capability)
        for ask, made in zip(asks, hold_many(asks), strict=True)
        if isinstance(made, HoldView)
    ]


def told(answers: Sequence[Any]) -> list[object]:
    """What each was told: a new booking is True, one that was there False, else the error."""
    return [each.is_new if isinstance(each, Confirmed) else type(each).__name__ for each in answers]


def failing(error: BaseException) -> Callable[..., Any]:
    """To be called in the place of what fails."""

    def fail(*_: object) -> None:
        raise error

    return fail


# Lock


def test_many_wishes_are_held_in_one_round_trip(
    many: list[Traveller], departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    many[0].get(f"departures/{departure.pk}/seats/")  # the image is loaded
    asks = [ask_for(who, departure, f"S1-{n}", passengers=ANNA) for n, who in enumerate(many, 1)]
    monkeypatch.setattr(store, "lock", None)  # nobody is locked alone
    views = hold_many(asks)
    assert [view.seats for view in views if isinstance(view, HoldView)] == [
        (f"S1-{number}",) for number in range(1, 7)
    ]
    monkeypatch.undo()
    check(departure, holds=6)


def test_of_many_wishes_each_gets_the_answer_that_is_its_own(
    many: list[Traveller], departure: Departure
) -> None:
    anna, bela, cili, *_ = many
    answers = hold_many(
        [
            ask_for(anna, departure, "S1-1", "S1-2"),
            ask_for(bela, departure, "S1-2", "S1-3"),
            ask_for(cili, departure, "S9-9"),
            ask_for(cili, departure, *(f"C1-{n}" for n in range(1, 8))),
            ask_for(bela, departure, count=2, travel_class="CC"),
            LockAsk(owner(cili), SeatWish(departure=0, source="AAA", destination="EEE", count=1)),
            ask_for(cili, departure, "S1-7", passengers=(Passenger("A"), Passenger("B"))),
            ask_for(anna, departure, "S1-4", passengers=ANNA),
        ]
    )
    kinds = [HoldView, SeatUnavailable, Invalid, LimitReached, HoldView, NotFound]
    assert [type(answer) for answer in answers] == [*kinds, Invalid, HoldView]
    check(departure, holds=3)
    named = answers[-1]
    assert isinstance(named, HoldView)
    (booked,) = confirm_bookings([ConfirmAsk(owner=owner(anna), hold=named.hold)])
    assert isinstance(booked, Confirmed)
    assert booked.booking.passengers == ({"name": "Anna"},)


# Confirm


def test_many_holds_become_bookings_in_one_statement(
    many: list[Traveller], departure: Departure
) -> None:
    asks = hold_each(many, departure)
    asks[0] = replace(asks[0], owner=replace(asks[0].owner, acting={"actor": 7}))
    with CaptureQueriesContext(connection) as queries:
        answers = confirm_bookings(asks)
    assert len(queries.captured_queries) == 1
    assert told(answers) == [True] * 6
    pnrs = [answer.booking.pnr for answer in answers if isinstance(answer, Confirmed)]
    rows = {row.hold: row for row in Booking.objects.all()}
    assert [(rows[ask.hold].pnr, rows[ask.hold].owner_id) for ask in asks] == [
        (pnr, who.user.pk) for pnr, who in zip(pnrs, many, strict=True)
    ]
    facts = OutboxEvent.objects.filter(kind="booking.confirmed").values_list("event_id", "subject")
    assert sorted(facts) == sorted(
        (f"{ask.hold}:confirmed", pnr) for ask, pnr in zip(asks, pnrs, strict=True)
    )
    acted = {fact.subject: fact.body.get("actor") for fact in OutboxEvent.objects.all()}
    assert [acted[pnr] for pnr in pnrs] == [7, None, None, None, None, None]
    check(departure, holds=0)
    assert many[0].get(f"reservations/bookings/{pnrs[0]}/").json()["seats"] == ["S1-1"]


def test_a_refusal_among_many_is_nobody_elses(many: list[Traveller], departure: Departure) -> None:
    """Two seats were sold past Redis; and then the others' bookings are not touched (P1, P3)."""
    asks = hold_each(many, departure)
    for sold in (1, 4):
        assert insert_booking(new_booking(many[0], departure, (0, 2), sold)) is Verdict.BOOKED
    answers = confirm_bookings(asks)
    refused = SeatAlreadyBooked.__name__
    assert told(answers) == [True, refused, True, True, refused, True]
    assert sold_twice(departure) == []
    assert BookedSeat.objects.filter(live=True).count() == 6
    (image,) = store.read_images([departure.pk], members=True)
    assert image.members == (), "who was refused holds nothing any more"
    assert many[0].post("reservations/lock/", wish(departure, "S1-2")).status_code == 409


def test_without_the_halves_one_refusal_is_everybodys(
    many: list[Traveller], departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard off: what one statement refuses is refused to all who share it."""
    bookings = [new_booking(many[0], departure, (0, 4), seat) for seat in (0, 1, 2, 1)]
    expected = [Verdict.BOOKED] * 3 + [Verdict.SEAT_TAKEN]
    real = insert._run

    def whole(some: Any) -> Any:
        try:
            return real(some)
        except IntegrityError as error:
            return [insert._verdict(error)] * len(some)

    monkeypatch.setattr(insert, "_run", whole)
    assert insert_bookings(bookings) == [Verdict.SEAT_TAKEN] * 4
    monkeypatch.undo()
    assert insert_bookings(bookings) == expected


def test_p1_without_the_constraint_one_statement_sells_a_seat_twice(
    anna: Traveller, departure: Departure
) -> None:
    bookings = [new_booking(anna, departure, stretch, 0) for stretch in ((0, 2), (1, 3))]
    with table_without("seat_sold_once_per_leg", "reservations_bookedseat"):
        assert insert_bookings(bookings) == [Verdict.BOOKED] * 2
        assert len(sold_twice(departure)) == 1
    again = [new_booking(anna, departure, stretch, 0) for stretch in ((0, 2), (1, 3))]
    assert insert_bookings(again) == [Verdict.BOOKED, Verdict.SEAT_TAKEN]


def test_the_unusual_is_answered_as_if_it_were_alone(
    many: list[Traveller], departure: Departure
) -> None:
    asks = hold_each(many, departure)
    stranger = ConfirmAsk(owner=owner(many[1]), hold=asks[0].hold)
    many[2].delete(f"reservations/holds/{asks[2].hold}/")
    crowd = ConfirmAsk(
        owner=asks[3].owner, hold=asks[3].hold, passengers=(Passenger("A"), Passenger("B"))
    )
    answers = confirm_bookings([stranger, asks[0], asks[0], asks[1], asks[2], crowd])
    assert told(answers) == ["NotFound", True, False, True, HoldExpired.__name__, "Invalid"]
    assert told(confirm_bookings([asks[1], asks[4]])) == [False, True]
    assert Booking.objects.filter(status=Booking.Status.CONFIRMED).count() == 3


def test_only_the_unusual_is_confirmed_alone(
    many: list[Traveller], departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = hold_each(many, departure)
    stranger = ConfirmAsk(owner=owner(many[1]), hold=asks[0].hold)
    crowd = replace(asks[3], passengers=(Passenger("A"), Passenger("B")))
    real, alone = store.pin, []

    def pin(ref: ids.HoldRef, *others: Any) -> Any:
        alone.append(ref.hold)
        return real(ref, *others)

    monkeypatch.setattr(store, "pin", pin)
    answers = confirm_bookings([stranger, crowd, asks[0], asks[1]])
    assert told(answers) == ["NotFound", "Invalid", True, True]
    assert alone == [crowd.hold]


def test_a_known_key_among_many_is_told_to_its_owner_alone(
    many: list[Traveller], departure: Departure
) -> None:
    """P5: the key's row is in the transaction of its booking, here too."""
    anna, bela, *_ = hold_each(many[:2], departure)
    (other,) = (
        view.hold
        for view in hold_many([ask_for(many[0], departure, "S1-7")])
        if isinstance(view, HoldView)
    )
    key = RequestKey("one", "print")

    def rendered(view: Any) -> bytes:
        return encode(booking_body(view))

    keyed = [
        ConfirmAsk(owner=each.owner, hold=hold, key=key, encode=rendered)
        for each, hold in ((anna, anna.hold), (anna, other), (bela, bela.hold))
    ]
    answers = confirm_bookings(keyed)
    assert told(answers) == [True, KeyKnown.__name__, True]
    assert IdempotencyKey.objects.count() == Booking.objects.count() == 2


def test_redis_forgot_or_is_away_and_the_capabilities_speak(
    many: list[Traveller], departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third, *_ = hold_each(many, departure)
    holds_store().flushall()
    with monkeypatch.context() as patch:
        patch.setattr(confirm_booking, "write_booking", lost_before)
        assert told(confirm_bookings([first])) == ["OperationalError"]
    assert told(confirm_bookings([first, second])) == [True, True]
    away = failing(redis.ConnectionError("away"))
    with monkeypatch.context() as patch:
        patch.setattr(batches, "pin_all", away)
        patch.setattr(store, "pin", away)
        assert told(confirm_bookings([third])) == [True]
        without = ConfirmAsk(owner=third.owner, hold=third.hold)
        assert told(confirm_bookings([without])) == ["ConnectionError"]


def test_a_batch_that_nobody_settled_is_settled_by_the_outbox(
    many: list[Traveller], departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = hold_each(many, departure)
    for some, error in ((asks[:3], redis.ConnectionError()), (asks[3:], StoreUnavailable("away"))):
        with monkeypatch.context() as patch:
            patch.setattr(batches, "settle_all", failing(error))
            assert told(confirm_bookings(some)) == [True] * 3
    (image,) = store.read_images([departure.pk], members=True)
    assert len(image.members) == 6, "still pinned: nobody can take the seats"
    consume_pending()
    check(departure, holds=0)


def test_rule_8_a_hold_of_a_batch_that_is_gone_when_it_is_settled_shows_its_seat_sold(
    many: list[Traveller], departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = hold_each(many, departure)

    def forgotten(new: Any) -> Any:
        verdicts = insert_bookings(new)
        store.free(ids.read(asks[1].hold), "released", "{}")
        return verdicts

    monkeypatch.setattr(together, "insert_bookings", forgotten)
    assert told(confirm_bookings(asks)) == [True] * 6
    assert many[0].post("reservations/lock/", wish(departure, "S1-2")).status_code == 409


def test_a_batch_that_died_before_its_commit_booked_nothing_and_can_be_sent_again(
    many: list[Traveller], departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = hold_each(many, departure)
    with monkeypatch.context() as patch:
        patch.setattr(together, "insert_bookings", failing(InterruptedError()))
        with pytest.raises(InterruptedError):
            confirm_bookings(asks)
    assert Booking.objects.count() == 0
    assert told(confirm_bookings(asks)) == [True] * 6
    check(departure, holds=0)


def test_two_who_confirm_the_same_many_holds_make_each_booking_once(
    many: list[Traveller], departure: Departure
) -> None:
    asks = hold_each(many, departure)
    gate, answers = threading.Barrier(2), []

    def confirm(some: Sequence[ConfirmAsk]) -> None:
        gate.wait(10)
        found = confirm_bookings(some)
        answers.append({ask.hold: word for ask, word in zip(some, told(found), strict=True)})
        connection.close()

    threads = [threading.Thread(target=confirm, args=[some]) for some in (asks, asks[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    first, second = answers
    assert [{first[ask.hold], second[ask.hold]} for ask in asks] == [{True, False}] * 6
    assert Booking.objects.count() == 6
    check(departure, holds=0)


# Count


def test_many_stretches_are_counted_in_one_round_trip_as_one_by_one(
    many: list[Traveller], departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = railway.departure(departure.train, days_ahead=9)
    hold_many([ask_for(many[0], departure, "S1-1"), ask_for(many[1], other, "S1-1", "S1-2")])
    confirm_bookings(hold_each(many[2:3], other))
    stops = ("AAA", "BBB", "CCC", "DDD", "EEE")
    asks = [
        StretchAsk(day.pk, stops[first], stops[last])
        for day in (departure, other)
        for first in range(4)
        for last in range(first + 1, 5)
    ]
    trips: list[object] = []
    real = holds_store().guarded

    def counted(call: Any) -> Any:
        trips.append(call)
        return real(call)

    with monkeypatch.context() as patch:
        patch.setattr(holds_store(), "guarded", counted)
        answers = count_many(asks)
    assert len(trips) == 1
    for ask, answer in zip(asks, answers, strict=True):
        stretch = {"source": ask.source, "destination": ask.destination}
        seats = many[0].get(f"departures/{ask.departure}/seats/", **stretch).json()["seats"]
        free = [seat["travel_class"] for seat in seats if seat["status"] == "free"]
        assert answer.by_class == {name: free.count(name) for name in ("SL", "CC")}
        assert not answer.stale


def test_a_long_line_is_counted_over_all_its_words(db: None, empty_redis: None) -> None:
    stops = tuple(f"L{number:02}" for number in range(71))
    train = railway.train(stops=stops)
    day = railway.departure(train)
    user = User.objects.create_user("long", "long@example.org")
    rider = Traveller(user, Client(), "", "")
    assert insert_booking(new_booking(rider, day, (40, 66), 0)) is Verdict.BOOKED
    asks = [StretchAsk(day.pk, stops[first], stops[last]) for first, last in
            ((0, 40), (40, 66), (66, 70), (0, 70))]  # fmt: skip
    assert [sum(answer.by_class.values()) for answer in count_many(asks)] == [16, 15, 16, 15]


def test_an_unknown_departure_is_not_counted(departure: Departure) -> None:
    with pytest.raises(SeatlockError):
        count_many([StretchAsk(departure.pk, "AAA", "EEE"), StretchAsk(0, "AAA", "EEE")])
