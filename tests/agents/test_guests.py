"""Guests: a short token for an e-mail; an account takes over what was booked, once it proved it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from config import clock
from config.errors import Invalid
from config.idempotency.models import IdempotencyKey
from config.outbox.models import OutboxEvent
from reservations.models import Booking
from tests.agents.conftest import CONTACT
from tests.engine import Traveller, forged
from tests.invariants import assert_invariants
from users.models import GuestClaim, Login
from users.services import send_claims as sender
from users.services.claim_guests import claim_guests
from users.services.send_claims import purge_claims, send_claims

pytestmark = pytest.mark.django_db


class Guest:
    """Somebody without an account."""

    def __init__(self, email: str = CONTACT["email"]) -> None:
        answer = Client().post(
            "/api/v1/auth/guest/", {**CONTACT, "email": email}, content_type="application/json"
        )
        assert answer.status_code == 201, answer.content
        self.answer: dict[str, Any] = answer.json()
        self.client = Client(headers={"Authorization": f"Bearer {self.answer['access']}"})
        self.id = self.answer["user"]["id"]

    def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.client.post(
            f"/api/v1/{path}", body or {}, content_type="application/json", headers=headers
        )

    def book(self, wish: dict[str, Any]) -> str:
        hold = self.post("reservations/lock/", wish).json()["hold"]
        booked = self.post("reservations/confirm/", {"hold": hold}, **{"Idempotency-Key": "k"})
        assert booked.status_code == 201, booked.content
        return str(booked.json()["pnr"])


def mailed_code(to: str) -> str:
    """The code in the last mail to this address."""
    body = next(str(each.body) for each in reversed(mail.outbox) if each.to == [to])
    found = re.search(r"^\d+:\S+$", body, re.MULTILINE)
    assert found is not None, body
    return found[0]


def ask(who: Any, email: str = CONTACT["email"]) -> str:
    """Ask for a code and read the mail."""
    assert who.post("auth/guest/claims/", {"email": email}).status_code == 202
    assert send_claims() == 1
    return mailed_code(email)


def test_a_guest_books_with_a_short_token(wish: dict[str, Any], settings: Any) -> None:
    guest = Guest()
    assert guest.answer["expires_in_seconds"] == settings.ENV.access_token_seconds
    assert "refresh" not in guest.answer
    pnr = guest.book(wish)
    assert Booking.objects.get(pnr=pnr).owner_id == guest.id
    assert guest.client.get(f"/api/v1/tickets/{pnr}/").status_code == 200
    with clock.moved(timedelta(seconds=settings.ENV.access_token_seconds + 1)):
        late = guest.client.get("/api/v1/reservations/bookings/")
    assert (late.status_code, late.json()["code"]) == (401, "token-expired")
    assert Login.objects.filter(user=guest.id).count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody"},
        {"email": ""},
        {"phone_number": "call me"},
        {"phone_number": "1"},
        {"phone_number": 225550},
    ],
)
def test_a_guest_must_be_reachable(wrong: dict[str, Any], db: None) -> None:
    answer = Client().post(
        "/api/v1/auth/guest/", {**CONTACT, **wrong}, content_type="application/json"
    )
    assert (answer.status_code, list(answer.json()["errors"])) == (400, list(wrong))


def test_guests_are_strangers_to_each_other(wish: dict[str, Any]) -> None:
    """The same e-mail proves nothing."""
    one, two = Guest(), Guest()
    pnr = one.book(wish)
    assert two.client.get(f"/api/v1/reservations/bookings/{pnr}/").status_code == 404


def test_an_account_takes_over_what_its_mailbox_proves(
    anna: Traveller, bela: Traveller, wish: dict[str, Any]
) -> None:
    """Whatever its own e-mail is: the mailbox counts, in whatever case it was typed."""
    guests = [Guest(), Guest("Asha@example.ORG"), Guest("somebody@else.org")]
    pnrs = [guest.book(wish) for guest in guests]
    code = ask(anna)
    done = anna.post("auth/guest/claims/confirm/", {"code": code})
    assert done.json() == {"guests": 2, "pnrs": pnrs[:2]}
    mine = {each["pnr"] for each in anna.get("reservations/bookings/").json()["results"]}
    assert mine == set(pnrs[:2])
    assert guests[0].client.get(f"/api/v1/reservations/bookings/{pnrs[0]}/").status_code == 404
    assert guests[2].client.get(f"/api/v1/reservations/bookings/{pnrs[2]}/").status_code == 200
    cancelled = anna.post(f"reservations/bookings/{pnrs[0]}/cancel/")
    assert cancelled.status_code == 200, cancelled.content
    facts = OutboxEvent.objects.filter(kind="account.claimed").order_by("id")
    assert [(each.body["user"], each.body["account"]) for each in facts] == [
        (guest.id, anna.user.pk) for guest in guests[:2]
    ]
    assert not IdempotencyKey.objects.filter(user_id__in=[guest.id for guest in guests[:2]])
    assert IdempotencyKey.objects.filter(user_id=guests[2].id).exists()


def test_a_code_is_for_one_account_once_and_for_an_hour(
    anna: Traveller, bela: Traveller, wish: dict[str, Any]
) -> None:
    pnr = Guest().book(wish)
    code = ask(anna)
    number, signature = code.split(":")
    for wrong in (
        forged(code),
        f"{int(number) + 1}:{signature}",
        number,
        "x",
    ):
        refused = anna.post("auth/guest/claims/confirm/", {"code": wrong})
        assert (refused.status_code, list(refused.json()["errors"])) == (400, ["code"])
    assert bela.post("auth/guest/claims/confirm/", {"code": code}).status_code == 400
    with clock.moved(timedelta(minutes=61)), pytest.raises(Invalid, match="not valid"):
        claim_guests(account=anna.user.pk, code=code)
    assert Booking.objects.get(pnr=pnr).owner_id != anna.user.pk
    assert anna.post("auth/guest/claims/confirm/", {"code": code}).json()["pnrs"] == [pnr]
    assert anna.post("auth/guest/claims/confirm/", {"code": code}).status_code == 400


def test_without_the_account_in_the_query_a_code_is_worth_something_to_who_reads_it(
    anna: Traveller, bela: Traveller, wish: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pnr = Guest().book(wish)
    code = ask(anna)
    assert bela.post("auth/guest/claims/confirm/", {"code": code}).status_code == 400
    GuestClaim.objects.update(account=bela.user)
    assert bela.post("auth/guest/claims/confirm/", {"code": code}).json()["pnrs"] == [pnr]


def test_nothing_tells_whether_there_is_a_guest(anna: Traveller, wish: dict[str, Any]) -> None:
    Guest().book(wish)
    known = anna.post("auth/guest/claims/", {"email": CONTACT["email"]})
    unknown = anna.post("auth/guest/claims/", {"email": "never@example.org"})
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert send_claims() == 2
    done = anna.post("auth/guest/claims/confirm/", {"code": mailed_code("never@example.org")})
    assert done.json() == {"guests": 0, "pnrs": []}


def test_a_mail_server_that_is_away_is_asked_again(
    anna: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna.post("auth/guest/claims/", {"email": CONTACT["email"]})

    def away(claim: GuestClaim) -> None:
        raise OSError(f"cannot reach the server for {claim.email}")

    with monkeypatch.context() as patched:
        patched.setattr(sender, "_send", away)
        assert send_claims() == 0
        assert send_claims() == 0
    assert GuestClaim.objects.get().attempts == 1
    with clock.moved(timedelta(seconds=31)):
        assert send_claims() == 1
    assert send_claims() == 0
    with clock.moved(timedelta(days=2)):
        assert purge_claims() == 1


@pytest.mark.usefixtures("throttled")
def test_codes_are_not_mailed_without_end(anna: Traveller) -> None:
    said = [
        anna.post("auth/guest/claims/", {"email": CONTACT["email"]}).status_code for _ in range(7)
    ]
    assert said == [202] * 5 + [429] * 2


def test_claims_keep_what_must_always_be_true(anna: Traveller, wish: dict[str, Any]) -> None:
    """Also of kept answers, which belong to whose bookings they name."""
    Guest().book(wish)
    anna.post("auth/guest/claims/confirm/", {"code": ask(anna)})
    assert_invariants(at_rest=False)
