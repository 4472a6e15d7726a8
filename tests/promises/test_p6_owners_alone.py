"""P6: a hold or a booking is seen and moved by its owner and by staff, by nobody else.

Everybody else gets 404, and cannot tell it from what does not exist. The matrix has a row for every
call there is; a call without a row fails here.
"""

import secrets
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client

from config.errors import NotFound
from config.idempotency import services as idempotency
from reservations.api import bookings as bookings_door
from reservations.api import cancelling as cancelling_door
from reservations.api import door as the_door
from reservations.bookings.pnr import new_pnr
from reservations.holds import ids
from reservations.models import Booking, SeatBlock
from reservations.services import extend_hold, list_holds, release_hold
from reservations.services.cancel_booking import cancel_booking
from tests.engine import Traveller
from tests.front.state import everything
from tests.promises.belongings import belongings, held
from tests.promises.ownership import MATRIX, WHO, Row, endpoints
from trains.models import Departure, Seat
from users.claims import Caller

pytestmark = pytest.mark.django_db

JSON = "application/json"


@pytest.fixture
def people(anna: Traveller, bela: Traveller, controller: Traveller) -> Callable[[str], Client]:
    """A client of each of WHO; the owner is Anna."""
    clients = {"other": bela.client, "staff": controller.client, "owner": anna.client}
    return lambda who: clients.get(who) or Client()


@pytest.fixture
def given(anna: Traveller, departure: Departure) -> Callable[..., dict[str, Any]]:
    """What is Anna's, made anew at each call; of the chairs only one is free, so she waits."""
    chairs = Seat.objects.filter(train=departure.train, coach__label="C1", number__lt=8)
    SeatBlock.objects.bulk_create(
        SeatBlock(departure=departure, seat=seat, created_by=anna.user) for seat in chairs
    )
    return partial(belongings, anna, departure)


def call(client: Client, name: str, given: dict[str, Any], row: Row) -> HttpResponse:
    method, route = name.split(" ")
    path = "/api/v1/" + route.replace("<", "{").replace(">", "}").format(**given)
    query = row.query.format(**given)
    answer = getattr(client, method.lower())(
        f"{path}?{query}" if query else path,
        *([row.body_with(given), JSON] if method != "GET" else []),
    )
    assert isinstance(answer, HttpResponse)
    return answer


def looks(answer: HttpResponse) -> tuple[int, bytes, dict[str, str]]:
    """All a client is told."""
    return answer.status_code, answer.content, dict(answer.headers)


def test_p6_every_call_has_a_row_and_every_row_a_call() -> None:
    assert MATRIX.keys() == endpoints()


@pytest.mark.parametrize("name", MATRIX)
def test_p6_who_may(
    name: str, people: Callable[[str], Client], given: Callable[..., dict[str, Any]]
) -> None:
    row = MATRIX[name]
    found = {}
    for who in WHO:
        things = given(needs=row.needs or bool(row.names))
        before = everything()
        answer = call(people(who), name, things, row)
        found[who] = answer.status_code
        if answer.status_code in {401, 403, 404} and "login" not in name:
            assert everything() == before, f"{who} was refused and changed something"
            assert answer["Content-Type"] == "application/problem+json"
        if answer.status_code >= 400:
            assert answer["Cache-Control"] == "no-store"
    assert found == dict(zip(WHO, row.answers, strict=True))


@pytest.mark.parametrize("name", [name for name, row in MATRIX.items() if row.names])
@pytest.mark.parametrize("who", ["other", "staff"])
def test_p6_what_is_anothers_looks_like_what_is_not(  # noqa: PLR0917  # fixtures
    name: str,
    who: str,
    people: Callable[[str], Client],
    given: Callable[..., dict[str, Any]],
    anna: Traveller,
    departure: Departure,
) -> None:
    row, theirs = MATRIX[name], given()
    if row.answers[WHO.index(who)] != 404:
        return  # staff may
    answer = looks(call(people(who), name, theirs, row))
    by_kind: dict[str, list[Any]] = {
        "hold": [
            ids.mint(departure=departure.pk, user=anna.user.pk),  # well made, and never given out
            ids.mint(departure=10**9, user=10**9),
            secrets.token_urlsafe(30),  # not made by us
            "x",
        ],
        "pnr": [new_pnr(), "ABC", "x" * 200],
        "entry": [str(uuid.uuid4()), "ABC", "x" * 200],
        "traveller": [0, 10**9, 10**18],
        "payment": [uuid4()],
    }
    for each in by_kind[row.names]:
        other = {**theirs, row.names: each, "capability": None}
        assert looks(call(people(who), name, other, row)) == answer, each


def test_p6_lists_and_maps_show_what_is_mine(
    anna: Traveller, bela: Traveller, controller: Traveller, given: Callable[..., dict[str, Any]]
) -> None:
    things = given()
    for who, seen in ((anna, 1), (bela, 0), (controller, 0)):
        assert who.get("reservations/holds/").json()["count"] == seen
        assert who.get("reservations/bookings/").json()["count"] == seen
        seats = who.get(f"departures/{things['departure']}/seats/").json()["seats"]
        assert [seat["status"] for seat in seats].count("mine") == seen
        assert [seat["status"] for seat in seats].count("held") == 1 - seen


def test_p6_deleting_what_is_anothers_deletes_nothing(
    bela: Traveller, controller: Traveller, given: Callable[..., dict[str, Any]]
) -> None:
    traveller = given()["traveller"]
    before = everything()
    for who in (bela, controller):
        who.delete(f"auth/travellers/{traveller}/")
        who.delete("auth/travellers/")
    assert everything() == before


def test_p6_an_id_that_was_tampered_with_names_nothing(
    anna: Traveller, given: Callable[..., dict[str, Any]]
) -> None:
    """Each of its letters, by one bit: the owner's own id, so that only the hash can refuse."""
    hold = given()["hold"]
    before = everything()
    for at in range(len(hold)):
        other = chr(ord(hold[at]) ^ 1) if (hold[at] + "x").isalnum() else "A"
        changed = hold[:at] + other + hold[at + 1 :]
        answer = anna.delete(f"reservations/holds/{changed}/")
        assert answer.status_code == 404, changed
    assert everything() == before


def test_p6_an_id_cannot_be_made_over_to_somebody_else(
    bela: Traveller, given: Callable[..., dict[str, Any]]
) -> None:
    """The same random part under one's own number: the hash covers all of it."""
    hold = given()["hold"]
    mine = ids.mint(departure=1, user=bela.user.pk)
    head, tail = 18, 32  # base64: version, departure and owner; the hash begins after 22 bytes
    for changed in (
        mine[:head] + hold[head:],
        mine[:tail] + hold[tail:],
        hold[:tail] + mine[tail:],
    ):
        assert bela.get(f"reservations/holds/{changed}/").status_code == 404


def test_p6_a_capability_is_worth_nothing_to_another(
    anna: Traveller, bela: Traveller, given: Callable[..., dict[str, Any]]
) -> None:
    things = given()
    hers = {"hold": things["hold"], "capability": things["capability"]}
    my_own = held(bela, things["wish"])
    before = everything()
    assert bela.post("reservations/confirm/", hers).status_code == 404
    mixed = {"hold": my_own["hold"], "capability": things["capability"]}
    assert bela.post("reservations/confirm/", mixed).status_code == 400
    assert everything() == before
    assert anna.post("reservations/confirm/", hers).status_code == 201


def test_p6_anothers_key_gives_nothing_away(
    anna: Traveller, bela: Traveller, given: Callable[..., dict[str, Any]]
) -> None:
    """The same key with the same body, sent by somebody else, is another request."""
    things = given()
    key = {"Idempotency-Key": "one-key"}
    body = {"hold": things["hold"]}
    first = anna.post("reservations/confirm/", body, **key)
    assert first.status_code == 201
    assert anna.post("reservations/confirm/", body, **key)["Idempotency-Replayed"] == "true"
    hers = bela.post("reservations/confirm/", body, **key)
    assert (hers.status_code, hers.get("Idempotency-Replayed")) == (404, None)

    path = f"reservations/bookings/{first.json()['pnr']}/cancel/"
    key = {"Idempotency-Key": "two"}
    assert anna.post(path, {}, **key).status_code == 200
    hers = bela.post(path, {}, **key)
    assert (hers.status_code, hers.get("Idempotency-Replayed")) == (404, None)

    lock = {**things["wish"], "count": 1}
    locked = anna.post("reservations/lock/", lock, **{"Idempotency-Key": "three"})
    hers = bela.post("reservations/lock/", lock, **{"Idempotency-Key": "three"})
    assert locked.status_code == hers.status_code == 201
    assert locked.json()["hold"] != hers.json()["hold"]


# The guards, taken away one at a time: then Bela sees and moves what is Anna's.


def read_anybodys(hold: str, user: int) -> ids.HoldRef:
    del user
    return ids.read(hold)


@pytest.mark.parametrize(
    ("method", "path", "module"),
    [
        ("get", "reservations/holds/{hold}/", list_holds),
        ("post", "reservations/holds/{hold}/extend/", extend_hold),
        ("delete", "reservations/holds/{hold}/", release_hold),
    ],
)
def test_p6_without_the_owner_in_the_id_a_hold_is_everybodys(  # noqa: PLR0917  # fixtures
    method: str,
    path: str,
    module: Any,
    bela: Traveller,
    given: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = path.format(**given())
    assert getattr(bela, method)(url).status_code == 404
    monkeypatch.setattr(module.ids, "read_own", read_anybodys)
    # Showing it looks among the caller's holds besides; but 410 tells that there was one.
    assert getattr(bela, method)(url).status_code in {200, 204, 410}


def test_p6_without_the_owner_in_the_id_a_hold_is_confirmed_by_anybody(
    bela: Traveller, given: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"hold": given()["hold"]}
    assert bela.post("reservations/confirm/", body).status_code == 404
    monkeypatch.setattr(ids, "read_own", read_anybodys)
    assert bela.post("reservations/confirm/", body).status_code == 201


def test_p6_without_the_owner_in_the_query_a_booking_is_everybodys(
    bela: Traveller, given: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"reservations/bookings/{given()['pnr']}/"
    assert bela.get(url).status_code == 404
    monkeypatch.setattr(bookings_door, "_mine", lambda _: Booking.objects.all())
    assert bela.get(url).status_code == 200


def test_p6_without_the_owner_in_the_query_a_booking_is_cancelled_by_anybody(
    bela: Traveller, given: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"reservations/bookings/{given()['pnr']}/cancel/"
    assert bela.post(url).status_code == 404
    cancel = cancel_booking
    monkeypatch.setattr(
        cancelling_door, "cancel_booking", lambda **said: cancel(**{**said, "as_staff": True})
    )
    assert bela.post(url).status_code == 200


def test_p6_without_the_user_beside_the_key_answers_go_to_strangers(
    anna: Traveller,
    bela: Traveller,
    given: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body, key = {"hold": given()["hold"]}, {"Idempotency-Key": "one-key"}
    first = anna.post("reservations/confirm/", body, **key)
    find = idempotency.find
    monkeypatch.setattr(
        bookings_door, "find", lambda **said: find(**{**said, "user_id": anna.user.pk})
    )
    assert bela.post("reservations/confirm/", body, **key).json() == first.json()


def test_p6_without_the_user_beside_the_key_locks_are_mixed_up(
    anna: Traveller,
    bela: Traveller,
    given: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lock, key = {**given()["wish"], "count": 1}, {"Idempotency-Key": "one-key"}
    mint_own = ids.mint
    monkeypatch.setattr(
        ids,
        "mint",
        lambda *, departure, seed=None, **_: mint_own(
            departure=departure, user=0, seed=seed and b"the same"
        ),
    )
    first = anna.post("reservations/lock/", lock, **key)
    assert bela.post("reservations/lock/", lock, **key).json()["hold"] == first.json()["hold"]


def test_p6_without_the_check_of_staff_the_desk_is_open(
    bela: Traveller, given: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    things = given()
    url = f"operations/departures/{things['departure']}/blocks/"
    body = {"seats": [things["seat"]], "reason": "paint"}
    assert bela.post(url, body).status_code == 403
    asked = the_door._caller

    def anybody(request: Any, access: Any) -> Caller | None:
        return asked(request, "owner" if access == "staff" else access)

    monkeypatch.setattr(the_door, "_caller", anybody)
    assert bela.post(url, body).status_code == 200


def test_p6_without_the_hash_ids_can_be_made_up(
    anna: Traveller, bela: Traveller, departure: Departure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The id carries its owner: with no hash anybody writes down anybody's number."""
    forged = ids.mint(departure=departure.pk, user=bela.user.pk)[:-8] + "AAAAAAAA"
    with pytest.raises(NotFound):
        ids.read_own(forged, bela.user.pk)
    monkeypatch.setattr("reservations.holds.ids.secrets.compare_digest", lambda *_: True)
    assert ids.read_own(forged, bela.user.pk).user == bela.user.pk
