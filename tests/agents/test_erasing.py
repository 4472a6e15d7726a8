"""A person is erased wherever they booked: as an account, and as each guest of the e-mail."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from reservations.models import BookedSeat
from tests.agents.conftest import CONTACT
from tests.agents.test_guests import Guest
from tests.engine import Traveller
from users.models import GuestClaim, User
from users.services.claim_guests import ask_to_claim

pytestmark = pytest.mark.django_db(transaction=True)


def names() -> list[str]:
    rows = BookedSeat.objects.filter(passenger__isnull=False).order_by("pk")
    return [row.passenger["name"] for row in rows if row.passenger]


@pytest.fixture
def asha_everywhere(anna: Traveller, bela: Traveller, wish: dict[str, Any]) -> list[Guest]:
    """Two guests and an account of one e-mail, and somebody else, each with a booking."""
    User.objects.filter(pk=anna.user.pk).update(email="Asha@Example.org")
    guests = [Guest(), Guest("ASHA@example.org")]
    party = [{"name": "Asha", "age": 34}, {"name": "Ravi", "age": 35}]
    everywhere: list[Guest | Traveller] = [*guests, anna]
    for who in everywhere:
        _book(who, wish, party)
    _book(bela, {**wish, "count": 1}, [{"name": "Bela", "age": 50}])
    ask_to_claim(account=anna.user.pk, email=CONTACT["email"])
    return guests


def _book(who: Guest | Traveller, wish: dict[str, Any], party: list[dict[str, Any]]) -> None:
    hold = who.post("reservations/lock/", wish).json()["hold"]
    booked = who.post("reservations/confirm/", {"hold": hold, "passengers": party})
    assert booked.status_code == 201, booked.content


@pytest.mark.parametrize("name", ["asha@example.org", "anna"])
def test_by_e_mail_or_name_every_row_of_the_person_is_found(
    asha_everywhere: list[Guest], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("erase_person", name)
    assert "6 passengers were erased, of 3 accounts and guests" in capsys.readouterr().out
    assert names() == ["Bela"]
    for guest in asha_everywhere:
        row = User.objects.get(pk=guest.id)
        assert (row.email, row.phone_number, row.is_active) == ("", "", False)
        assert guest.client.get("/api/v1/reservations/bookings/").status_code == 401
    assert not GuestClaim.objects.exists()
    assert User.objects.get(username="anna").email == "Asha@Example.org"


def test_who_is_not_there_is_said(db: None) -> None:
    with pytest.raises(CommandError, match=r"nobody@example\.org"):
        call_command("erase_person", "nobody@example.org")
