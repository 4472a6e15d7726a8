"""Accounts by forms: register, sign in and out, passwords, travellers."""

import re
from uuid import UUID

import pytest
from django.core import mail

from tests.pages.visiting import PASSWORD, Visit, says
from trains.models import Departure
from users.models import Login, SavedTraveller, User
from users.services.end_logins import end_logins
from web import tasks

pytestmark = pytest.mark.django_db

NEW = "konkan-Kanya-10111"


def account(**more: str) -> dict[str, str]:
    return {"username": "meera", "email": "meera@example.org", "password": NEW, **more}


def test_who_registers_is_signed_in(stranger: Visit) -> None:
    assert stranger.post("/register/", account())["Location"] == "/"
    assert says(stranger.get("/"), "meera")
    assert Login.objects.get().user.username == "meera"


def test_a_wrong_registration_says_what_is_wrong(stranger: Visit, asha: Visit) -> None:
    for said, text in (
        (account(username="Asha"), "This username is taken."),
        (account(email="ASHA@example.org"), "An account with this e-mail exists already."),
        (account(password="12345"), "This password is too short."),
        (account(email="nothing"), "Enter a valid email address."),
        ({}, "This field is required."),
    ):
        refused = stranger.post("/register/", said)
        assert refused.status_code == 400
        assert says(refused, text), text
    assert User.objects.count() == 1


def test_sign_in_goes_on_to_where_one_was_heading(stranger: Visit, asha: Visit) -> None:
    asked = stranger.get("/bookings/", show="past")
    assert asked["Location"] == "/login/?next=%2Fbookings%2F%3Fshow%3Dpast"
    said = {"username": "ASHA@example.org", "password": PASSWORD, "next": "/bookings/?show=past"}
    assert stranger.post("/login/", said)["Location"] == "/bookings/?show=past"


def test_sign_in_never_leads_off_this_site(stranger: Visit, asha: Visit) -> None:
    said = {"username": "asha", "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert stranger.post("/login/", said)["Location"] == "/"


def test_a_wrong_password_says_no_more_than_that(stranger: Visit, asha: Visit) -> None:
    for name in ("asha", "nobody"):
        refused = stranger.post("/login/", {"username": name, "password": "wrong"})
        assert refused.status_code == 400
        assert says(refused, "No account has this name and this password.")


def test_a_sign_in_gets_a_session_key_of_its_own(stranger: Visit, asha: Visit) -> None:
    stranger.hold(Departure(pk=1), "S1-1")
    before = stranger.client.session.session_key
    stranger.post("/login/", {"username": "asha", "password": PASSWORD})
    assert stranger.client.session.session_key != before


@pytest.mark.django_db(transaction=True)
def test_sign_out_ends_the_login(asha: Visit) -> None:
    sid = asha.client.session["sid"]
    assert asha.post("/logout/")["Location"] == "/"
    assert Login.objects.get(sid=sid).ended_at is not None
    assert asha.get("/bookings/")["Location"].startswith("/login/")


@pytest.mark.django_db(transaction=True)
def test_a_login_ended_elsewhere_ends_the_session(asha: Visit) -> None:
    assert asha.user is not None
    sid = UUID(asha.client.session["sid"])
    end_logins(user_id=asha.user.pk, only=sid, reason="ended-by-staff")
    assert asha.get("/profile/")["Location"].startswith("/login/")
    assert "sid" not in asha.client.session


def test_a_session_of_the_admin_alone_is_no_visit(stranger: Visit, asha: Visit) -> None:
    assert asha.user is not None
    stranger.client.force_login(asha.user, backend="users.backends.AccountBackend")
    assert stranger.get("/profile/")["Location"].startswith("/login/")


@pytest.mark.django_db(transaction=True)
def test_a_new_password_ends_other_logins_and_not_this_one(asha: Visit) -> None:
    elsewhere = Visit(type(asha.client)(), asha.user)
    elsewhere.sign_in()
    said = {"old_password": PASSWORD, "new_password": NEW}
    assert asha.post("/profile/password/", said)["Location"] == "/profile/"
    assert asha.get("/profile/").status_code == 200
    assert elsewhere.get("/profile/")["Location"].startswith("/login/")
    wrong = asha.post("/profile/password/", said)
    assert wrong.status_code == 400
    assert says(wrong, "This is not your password.")


@pytest.mark.django_db(transaction=True)
def test_the_profile_is_changed(asha: Visit, ravi: Visit) -> None:
    said = {"first_name": "Asha", "last_name": "Rao", "email": "rao@example.org"}
    assert asha.post("/profile/", said)["Location"] == "/profile/"
    assert User.objects.get(username="asha").email == "rao@example.org"
    refused = asha.post("/profile/", {**said, "email": "ravi@example.org"})
    assert refused.status_code == 400
    assert says(refused, "An account with this e-mail exists already.")


def test_travellers_are_saved_changed_and_deleted(asha: Visit, ravi: Visit) -> None:
    new = {"name": "Meera", "birth_date": "1990-05-17", "gender": "female"}
    assert asha.post("/profile/travellers/new/", new)["Location"] == "/profile/"
    saved = SavedTraveller.objects.get()
    path = f"/profile/travellers/{saved.pk}/"
    assert says(asha.get("/profile/"), "Meera")
    assert ravi.get(path).status_code == 404
    assert ravi.post(path, new).status_code == 404
    ravi.post(f"{path}delete/")
    asha.post(path, {**new, "name": "Meera Rao", "berth_preference": "lower"})
    saved.refresh_from_db()
    assert (saved.name, saved.berth_preference) == ("Meera Rao", "lower")
    for born in ("1850-01-01", "2999-01-01", "soon"):
        assert asha.post(path, {**new, "birth_date": born}).status_code == 400, born
    asha.post(f"{path}delete/")
    assert not SavedTraveller.objects.exists()


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker is at hand: mail is written at once."""
    monkeypatch.setattr(tasks.send_reset_link, "delay", tasks.send_reset_link.run)


def link(stranger: Visit, email: str) -> str:
    assert says(stranger.post("/password/", {"email": email}), email)
    found = re.search(r"http://testserver(/password/\S+/)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def test_a_forgotten_password_is_set_by_mail_once(
    stranger: Visit, asha: Visit, posted: None
) -> None:
    path = link(stranger, "ASHA@example.org")
    assert mail.outbox[0].to == ["asha@example.org"]
    weak = stranger.post(path, {"new_password": "12345"})
    assert weak.status_code == 400
    assert stranger.post(path, {"new_password": NEW})["Location"] == "/login/"
    assert asha.user is not None
    asha.user.refresh_from_db()
    assert asha.user.check_password(NEW)
    assert stranger.get(path).status_code == 404
    assert not Login.objects.filter(ended_at=None).exists()


def test_an_address_nobody_has_gets_the_same_page_and_no_mail(
    stranger: Visit, asha: Visit, posted: None
) -> None:
    known = stranger.post("/password/", {"email": "asha@example.org"})
    unknown = stranger.post("/password/", {"email": "none@example.org"})
    assert known.status_code == unknown.status_code == 200
    assert len(mail.outbox) == 1


def test_a_made_up_link_is_dead(stranger: Visit, asha: Visit) -> None:
    for who in ("MQ", "x", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"):
        assert stranger.get(f"/password/{who}/abc-def/").status_code == 404
