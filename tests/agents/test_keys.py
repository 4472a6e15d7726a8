"""API keys: hashed, scoped, limited, revocable, and checked without a query."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from config import clock
from config.http import throttles
from config.http.throttles import Quota, Rate
from config.outbox.models import OutboxEvent
from config.stores.redis import holds_store
from tests.agents.conftest import Machine, MakeMachine
from tests.engine import Traveller, forged
from users import api_keys, marks
from users.models import ApiKey, Login, User
from users.scopes import SCOPES
from users.services.end_logins import end_logins
from users.services.purge_logins import purge_logins
from users.services.restore_marks import restore_ended_marks

pytestmark = pytest.mark.django_db

# The mark of an ended login is written after COMMIT.
COMMITS = pytest.mark.django_db(transaction=True)
NEW = {"account": "acme", "name": "Desk", "scopes": ["read", "reserve"]}


def test_staff_make_a_key_and_see_it_once(controller: Traveller, acme: Traveller) -> None:
    made = controller.post("operations/keys/", {**NEW, "calls_per_minute": 7})
    assert made.status_code == 201, made.content
    key = made.json()
    assert key["key"].startswith(key["prefix"] + "_")
    assert key["calls_per_minute"] == 7
    assert (key["account"], key["created_by"]) == ("acme", "controller")

    row = ApiKey.objects.get()
    kept = json.dumps([str(value) for value in row.__dict__.values()])
    assert key["key"] not in kept
    assert key["key"].removeprefix(key["prefix"]) not in kept
    (shown,) = controller.get("operations/keys/").json()["results"]
    assert shown == {name: value for name, value in key.items() if name != "key"}
    assert controller.get(f"operations/keys/{key['prefix']}/").json() == shown

    machine = Client(headers={"Authorization": f"Bearer {key['key']}"})
    assert machine.get("/api/v1/reservations/holds/").status_code == 200
    used = controller.get(f"operations/keys/{key['prefix']}/").json()["last_used_at"]
    assert used is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"account": "nobody"},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"calls_per_minute": 0},
        {"expires_in_days": 10_000},
        {"name": ""},
    ],
)
def test_a_key_that_cannot_be(controller: Traveller, acme: Traveller, wrong: Any) -> None:
    answer = controller.post("operations/keys/", {**NEW, **wrong})
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["errors"]) == list(wrong) or "scopes" in str(answer.json()["errors"])
    assert not ApiKey.objects.exists()


def test_a_remembered_key_locks_and_releases_without_a_query(
    machine: Machine,
    wish: dict[str, Any],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """The hot calls are as hot as with a token: the first call asked, the next ones know."""
    first = machine.post("reservations/lock/", wish)
    assert first.status_code == 201, first.content
    assert machine.delete(f"reservations/holds/{first.json()['hold']}/").status_code == 204
    with django_assert_num_queries(0):
        again = machine.post("reservations/lock/", wish)
        hold = again.json()["hold"]
        assert machine.post(f"reservations/holds/{hold}/extend/").status_code == 200
        assert machine.get("reservations/holds/").json()["count"] == 1


def test_a_key_is_asked_for_again_after_a_minute(machine: Machine) -> None:
    machine.get("reservations/holds/")
    before = ApiKey.objects.get().last_used_at
    with clock.moved(timedelta(seconds=59)), CaptureQueriesContext(connection) as none:
        machine.get("reservations/holds/")
    assert not [each for each in none if "apikey" in each["sql"]]
    with clock.moved(timedelta(seconds=61)):
        machine.get("reservations/holds/")
    after = ApiKey.objects.get().last_used_at
    assert before is not None
    assert after is not None
    assert after - before > timedelta(seconds=60)


Call = Callable[[Machine, dict[str, Any]], Any]
CALLS: dict[str, Call] = {
    "reserve": lambda m, wish: m.post("reservations/lock/", wish),
    "confirm": lambda m, _: m.post("reservations/confirm/", {"hold": "x"}),
    "read": lambda m, _: m.get("reservations/bookings/"),
    "manage": lambda m, _: m.post("reservations/bookings/ABC/cancel/"),
    "group": lambda m, wish: m.post("reservations/groups/", wish),
    "customers": lambda m, _: m.post("agents/customers/", {}),
}


@pytest.mark.parametrize("scope", CALLS)
def test_a_key_may_what_its_scopes_say_and_nothing_else(
    scope: str, acme: Traveller, machine_of: MakeMachine, wish: dict[str, Any]
) -> None:
    others = tuple(each for each in SCOPES if each != scope)
    for scopes, allowed in (((scope,), True), (others, False)):
        answer = CALLS[scope](machine_of(acme, *scopes), wish)
        assert (answer.status_code != 403) == allowed, (scopes, answer.content)
        if not allowed:
            assert answer.json()["scope"] == scope


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_no_key_writes_accounts_or_opens_the_staff_desk(
    method: str, controller: Traveller, machine_of: MakeMachine
) -> None:
    """Also not the key of a member of staff."""
    machine = machine_of(controller)
    paths = ["operations/keys/", "operations/dashboard/", "operations/departures/1/blocks/"]
    paths += [] if method == "GET" else ["auth/me/", "auth/password/", "auth/travellers/"]
    for path in paths:
        answer = machine.client.generic(method, f"/api/v1/{path}", b"{}", "application/json")
        assert answer.status_code in {403, 405}, (path, answer.content)


@COMMITS
def test_a_revoked_key_is_dead_at_once_also_in_processes_that_remember_it(
    machine: Machine, controller: Traveller, wish: dict[str, Any]
) -> None:
    hold = machine.post("reservations/lock/", wish).json()["hold"]
    assert controller.delete(f"operations/keys/{machine.prefix}/").status_code == 204
    # This process still remembers the key: the mark refuses, in views and in the hold scripts.
    assert api_keys._known
    for answer in (
        machine.get("reservations/holds/"),
        machine.post("reservations/lock/", wish),
        machine.post("reservations/confirm/", {"hold": hold}),
        machine.delete(f"reservations/holds/{hold}/"),
    ):
        assert answer.status_code == 401, answer.content
    assert controller.delete(f"operations/keys/{machine.prefix}/").status_code == 204
    assert controller.delete("operations/keys/slk_nobodyhas1/").status_code == 404
    assert controller.get(f"operations/keys/{machine.prefix}/").json()["revoked_at"] is not None


@COMMITS
def test_without_the_mark_a_remembered_key_would_go_on(
    machine: Machine, controller: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard taken away: the memory alone is too old by up to a minute."""
    machine.get("reservations/holds/")
    monkeypatch.setattr(marks, "write", lambda _: None)
    restore_ended_marks()
    controller.delete(f"operations/keys/{machine.prefix}/")
    assert machine.get("reservations/holds/").status_code == 200
    with clock.moved(timedelta(seconds=61)):
        assert machine.get("reservations/holds/").status_code == 401


@COMMITS
def test_a_revoked_key_stays_dead_when_redis_forgets(
    machine: Machine, controller: Traveller
) -> None:
    machine.get("reservations/holds/")
    controller.delete(f"operations/keys/{machine.prefix}/")
    holds_store().flushall()
    assert machine.get("reservations/holds/").status_code == 401
    api_keys.forget_keys()
    assert machine.get("reservations/holds/").status_code == 401


@COMMITS
def test_a_closed_account_has_no_keys_and_a_new_password_keeps_them(
    machine: Machine, acme: Traveller
) -> None:
    user = User.objects.get(pk=acme.user.pk)
    user.set_password("another-Pass-4471")
    user.save()
    assert acme.get("auth/me/").status_code == 401
    assert machine.get("reservations/holds/").status_code == 200
    user.is_active = False
    user.save()
    assert machine.get("reservations/holds/").status_code == 401


def test_a_key_runs_out(acme: Traveller, machine_of: MakeMachine) -> None:
    machine = machine_of(acme, expires_in_days=1)
    assert machine.get("reservations/holds/").status_code == 200
    with clock.moved(timedelta(days=1, seconds=1)):
        answer = machine.get("reservations/holds/")
    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")


@pytest.mark.usefixtures("throttled")
def test_a_key_has_a_limit_of_its_own_and_no_other(
    acme: Traveller, machine_of: MakeMachine
) -> None:
    slow, fast = machine_of(acme, calls_per_minute=3), machine_of(acme, calls_per_minute=2000)
    said = [slow.get("reservations/holds/").status_code for _ in range(4)]
    assert said == [200, 200, 200, 429]
    assert slow.get("stations/").status_code == 429
    assert int(slow.get("reservations/holds/")["Retry-After"]) <= 20
    # More than an address or a user may lock in a moment (120).
    assert {fast.post("reservations/lock/").status_code for _ in range(130)} == {400}


@pytest.mark.usefixtures("throttled")
def test_keys_that_nobody_has_are_refused_and_their_guessers_slowed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(throttles.RATES, "key", Rate(address=Quota(10, 3600)))
    wrong = [
        forged(machine.key),
        machine.key[:-1],
        machine.key + "a",
        machine.prefix,
        "slk_",
        "slk_" + "a" * 10 + "_" + "b" * 43,
        machine.key.upper(),
    ]
    for key in wrong:
        answer = Client(headers={"Authorization": f"Bearer {key}"}).get("/api/v1/stations/")
        assert answer.status_code == 401, key
    unknown = "slk_" + "a" * 10 + "_" + "b" * 43
    client = Client(headers={"Authorization": f"Bearer {unknown}"})
    said = {client.get("/api/v1/stations/").status_code for _ in range(15)}
    assert said == {401, 429}
    assert machine.get("stations/").status_code == 429  # until this process knows it


@COMMITS
def test_the_rows_of_keys_outlive_their_logins(machine: Machine, acme: Traveller) -> None:
    end_logins(user_id=acme.user.pk, reason="ended-by-staff")
    with clock.moved(timedelta(days=1)):
        purge_logins()
    assert ApiKey.objects.get().login.ended_at is not None
    assert Login.objects.filter(user=acme.user).count() == 1


def test_facts_name_the_key(machine: Machine, acme: Traveller, wish: dict[str, Any]) -> None:
    hold = machine.post("reservations/lock/", wish).json()["hold"]
    machine.post(f"reservations/holds/{hold}/extend/")
    booked = machine.post("reservations/confirm/", {"hold": hold})
    assert booked.status_code == 201, booked.content
    machine.post(f"reservations/bookings/{booked.json()['pnr']}/cancel/")
    who = {"actor": acme.user.pk, "key": machine.prefix}
    for kind in ("booking.confirmed", "booking.cancelled"):
        body = OutboxEvent.objects.get(kind=kind).body
        assert {name: body[name] for name in who} == who
        assert body["user"] == acme.user.pk
    made = OutboxEvent.objects.get(kind="account.key-created")
    assert made.body["key"] == machine.prefix


def test_a_known_key_goes_on_while_postgresql_is_away(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as an access token would: longer no mark would tell that it was revoked."""
    machine.get("reservations/holds/")

    def away(*_: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(api_keys, "_look_up", away)
    with clock.moved(timedelta(seconds=800)):
        assert machine.get("reservations/holds/").status_code == 200
    with clock.moved(timedelta(seconds=901)):
        assert machine.get("reservations/holds/").status_code == 503
