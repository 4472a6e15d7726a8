"""First come, first served; smaller parties pass only who cannot be served."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.core import mail

from config.outbox.models import OutboxEvent
from config.stores import keys
from config.stores.redis import holds_store
from reservations.models import BookedSeat, Booking
from reservations.waitlist import prepaid
from reservations.waitlist.mail import send_waiting
from reservations.waitlist.models import Entry
from tests.engine import Traveller
from tests.invariants import assert_invariants
from tests.waitlist.conftest import Make, book, cancel, join, lock, seen, state, work
from trains.models import ClassFare, Departure, FareSlab

pytestmark = pytest.mark.django_db
Time = Callable[[float], AbstractContextManager[None]]


def test_the_first_who_came_is_offered_the_seat(
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller, controller: Traveller
) -> None:
    annas, belas = join(anna, run), join(bela, run)
    assert [seen(anna, annas)["position"], seen(bela, belas)["position"]] == [1, 2]
    cancel(controller, sold[2])
    work()
    shown = seen(anna, annas)
    assert (shown["status"], shown["position"]) == ("offered", None)
    offer = shown["offer"]
    assert offer["seats"] == ["S1-3"]
    assert (seen(bela, belas)["status"], seen(bela, belas)["position"]) == ("waiting", 1)
    named = {"hold": offer["hold"], "capability": offer["capability"]}
    booked = anna.post("reservations/confirm/", named)
    assert booked.status_code == 201
    work()
    shown = seen(anna, annas)
    assert (shown["status"], shown["pnr"]) == ("confirmed", booked.json()["pnr"])
    assert shown["offer"] is None
    assert_invariants(run.pk, at_rest=True)


def test_an_offer_is_a_hold_that_says_so_and_lasts_as_long_as_offers_do(
    run: Departure, sold: list[str], anna: Traveller, controller: Traveller
) -> None:
    entry = join(anna, run)
    cancel(controller, sold[0])
    work()
    (held,) = anna.get("reservations/holds/").json()["results"]
    assert held["hold"] == seen(anna, entry)["offer"]["hold"]
    assert 890 <= held["expires_in_seconds"] <= 900
    name = keys.of(run.pk, "hold", held["hold"])
    assert holds_store().hget(name, "made_by") == b"offer"
    shard = keys.shard(run.pk)
    told: list[Any] = list(holds_store().xrange(keys.audit(shard)) or ())
    (body,) = [f[b"body"] for _, f in told if f[b"id"].decode() == f"{held['hold']}:held"]
    assert b'"made_by":"offer"' in body
    assert entry.encode() in body
    offered = OutboxEvent.objects.get(kind="waitlist.offered")
    assert (offered.body["hold"], offered.body["entry"]) == (held["hold"], entry)


def test_who_holds_as_much_as_one_may_gets_the_offer_all_the_same(
    run: Departure, sold: list[str], anna: Traveller, controller: Traveller
) -> None:
    entry = join(anna, run)
    held = [lock(anna, run, seats=[f"C1-{n}"], destination="BBB") for n in (1, 2)]
    held.append(lock(anna, run, seats=["C1-1"], source="BBB"))
    assert [each.status_code for each in held] == [201, 201, 201]
    cancel(controller, sold[0])
    work()
    assert state(entry) == "offered"


def test_a_smaller_party_passes_only_who_cannot_be_served(
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller, controller: Traveller
) -> None:
    three, one = join(anna, run, 3), join(bela, run, 1)
    also_one = join(bela, run, 1)
    cancel(controller, sold[0])
    work()
    assert [state(each) for each in (three, one, also_one)] == ["waiting", "offered", "waiting"]
    # Three come free before anybody looks: the larger party, which came first, is served first.
    for pnr in sold[1:]:
        cancel(controller, pnr)
    work()
    assert [state(each) for each in (three, one, also_one)] == ["offered", "offered", "waiting"]


def test_on_another_class_or_on_legs_that_do_not_overlap_nobody_waits_for_another(
    run: Departure, anna: Traveller, bela: Traveller, controller: Traveller, make_traveller: Make
) -> None:
    first = make_traveller("first")
    early = [book(first, run, f"S1-{n}", destination="CCC") for n in (1, 2, 3, 4)]
    late = [book(first, run, f"S1-{n}", source="CCC") for n in (1, 2, 3, 4)]
    book(first, run, "C1-1", "C1-2")
    long, short = join(anna, run), join(bela, run, source="CCC")
    chair = join(bela, run, travel_class="CC")
    ahead = {entry: seen(who, entry)["position"]
             for who, entry in ((anna, long), (bela, short), (bela, chair))}  # fmt: skip
    assert list(ahead.values()) == [1, 2, 1]
    cancel(first, late[0])
    work()
    assert [state(each) for each in (long, short, chair)] == ["waiting", "offered", "waiting"]
    cancel(first, early[1])
    cancel(first, late[1])
    work()
    assert [state(each) for each in (long, short, chair)] == ["offered", "offered", "waiting"]
    assert_invariants(run.pk)


@pytest.mark.parametrize("how", ["released", "expired", "unblocked", "coach"])
def test_seats_that_come_free_in_any_way_serve_who_waits(  # noqa: PLR0917  # fixtures
    run: Departure, anna: Traveller, bela: Traveller, controller: Traveller, time_passes: Time,
    make_traveller: Make, how: str,
) -> None:  # fmt: skip
    first = make_traveller("first")
    book(first, run, "S1-1", "S1-2", "S1-3")
    blocks = f"operations/departures/{run.pk}/blocks/"
    if how == "unblocked":
        blocked = {"seats": ["S1-4"], "reason": "paint"}
        assert controller.post(blocks, blocked).status_code == 200
        work()
    else:
        held = lock(bela, run, seats=["S1-4"]).json()["hold"]
    entry = join(anna, run)
    assert work().served == 0
    if how == "released":
        bela.delete(f"reservations/holds/{held}/")
    elif how == "unblocked":
        controller.client.delete(f"/api/v1/{blocks}", blocked, "application/json")
    elif how == "coach":
        more = {"coaches": [{"label": "S1", "travel_class": "SL", "seats": 6},
                            {"label": "C1", "travel_class": "CC", "seats": 2}]}  # fmt: skip
        answer = controller.client.patch(
            f"/api/v1/trains/{run.train.number}/", more, "application/json"
        )
        assert answer.status_code == 200, answer.content
    with time_passes(181 if how == "expired" else 0):
        work()
        assert state(entry) == "offered"


def test_an_offer_that_is_not_taken_lapses_and_goes_to_the_next(  # noqa: PLR0917  # fixtures
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller, controller: Traveller,
    time_passes: Time, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(settings.ENV, "waitlist_offer_seconds", 300)
    annas, belas = join(anna, run), join(bela, run)
    cancel(controller, sold[0])
    work()
    late = seen(anna, annas)["offer"]
    with time_passes(270):
        work()
        assert [state(annas), state(belas)] == ["offered", "waiting"]
    with time_passes(301):
        assert seen(anna, annas)["status"] == "lapsed", "over for every reader, no worker needed"
        work()
        assert [state(annas), state(belas)] == ["lapsed", "offered"]
        named = {"hold": late["hold"], "capability": late["capability"]}
        assert anna.post("reservations/confirm/", named).status_code == 410
        send_waiting()
    assert sorted(m.to[0] for m in mail.outbox) == ["anna@example.org", "bela@example.org"]
    assert "is over" in next(m for m in mail.outbox if m.to == ["anna@example.org"]).subject


@pytest.mark.parametrize("how", ["left", "given back"])
def test_an_offer_that_is_given_up_goes_to_the_next(  # noqa: PLR0917  # fixtures
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller, controller: Traveller,
    how: str,
) -> None:  # fmt: skip
    annas, belas = join(anna, run), join(bela, run)
    cancel(controller, sold[0])
    work()
    if how == "left":
        assert anna.delete(f"reservations/waitlist/{annas}/").status_code == 204
    else:
        anna.delete(f"reservations/holds/{seen(anna, annas)['offer']['hold']}/")
        work()
    assert [state(annas), state(belas)] == ["left" if how == "left" else "lapsed", "offered"]
    assert seen(bela, belas)["offer"]["seats"] == ["S1-1"]
    assert_invariants(run.pk)


@pytest.fixture
def nothing_to_pay(run: Departure) -> None:
    zero = Decimal(0)
    ClassFare.objects.update(base=zero, per_km=zero, reservation=zero, superfast=zero)
    FareSlab.objects.update(per_km=zero)


def test_who_has_nothing_to_pay_is_booked_at_once_and_told(
    nothing_to_pay: None, run: Departure, sold: list[str], anna: Traveller, controller: Traveller
) -> None:
    people = [{"name": "Asha", "age": 30}, {"name": "Ravi", "age": 31}]
    entry = join(anna, run, 2, passengers=people)
    for pnr in sold[:2]:
        cancel(controller, pnr)
    work()
    shown = seen(anna, entry)
    assert (shown["status"], shown["offer"]) == ("confirmed", None)
    seats = BookedSeat.objects.filter(booking__pnr=shown["pnr"], live=True)
    assert sorted(seat.passenger["name"] for seat in seats if seat.passenger) == ["Asha", "Ravi"]
    assert Entry.objects.get(key=entry).passengers == []
    assert send_waiting() == 1
    (told,) = mail.outbox
    assert (told.to, shown["pnr"] in told.subject) == (["anna@example.org"], True)
    assert_invariants(run.pk, at_rest=True)


def test_who_has_paid_is_booked_at_once(
    run: Departure, sold: list[str], anna: Traveller, bela: Traveller, controller: Traveller
) -> None:
    paid, unpaid = join(anna, run), join(bela, run)
    returned: list[str] = []
    purse = prepaid.Purse(
        is_prepaid=lambda entry, fare: str(entry.key) == paid and fare > 0,
        give_back=lambda entry: returned.append(str(entry.key)),
    )
    prepaid.register(purse)
    try:
        for pnr in sold[:2]:
            cancel(controller, pnr)
        work()
        assert [state(paid), state(unpaid)] == ["confirmed", "offered"]
        assert Booking.objects.filter(owner=anna.user, status="confirmed").count() == 1
        bela.delete(f"reservations/waitlist/{unpaid}/")
    finally:
        prepaid.forget(purse)
    assert returned == [unpaid]
