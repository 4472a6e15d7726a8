"""What is true of every page: policy, tokens, language, colours, and how refusals look."""

import pytest
from django.test import Client
from django.urls import get_resolver
from django.views.i18n import set_language

from tests.pages.visiting import Visit, read, says
from trains.models import Departure

pytestmark = pytest.mark.django_db

HINDI = {"Accept": "text/html", "Accept-Language": "hi"}


def pages(departure: Departure, hold: str) -> list[str]:
    """One address of each page that is read."""
    return [
        "/",
        "/search/?from=AAA&to=CCC",
        f"/departures/{departure.pk}/",
        "/password/",
        "/bookings/",
        "/profile/",
        "/profile/password/",
        "/profile/travellers/new/",
        hold,
        "/no/such/page/",
    ]


def test_every_page_has_a_strict_policy_and_nothing_in_line(
    asha: Visit, departure: Departure
) -> None:
    for path in pages(departure, asha.held(departure, "S1-1")):
        page = asha.get(path)
        policy = page["Content-Security-Policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert "http://" not in policy.replace("http://testserver", ""), path
        for tag, attrs in read(page).tags:
            assert tag != "style", path
            assert tag != "script" or (attrs.get("src") or "").startswith("/static/web/"), path
            assert not [name for name in attrs if name == "style" or name.startswith("on")], path


def test_what_is_personal_is_kept_by_no_cache(asha: Visit, departure: Departure) -> None:
    for path in pages(departure, asha.held(departure, "S1-1")):
        assert "no-store" in asha.get(path)["Cache-Control"], path


def test_every_page_has_one_heading_a_title_and_a_language(
    asha: Visit, departure: Departure
) -> None:
    for path in pages(departure, asha.held(departure, "S1-1")):
        reader = read(asha.get(path))
        tags = [tag for tag, _ in reader.tags]
        assert tags.count("h1") == 1, path
        assert tags.count("main") == 1, path
        assert reader.tags[0] == ("html", {"lang": "en", "data-theme": "auto"}), path
        for tag, attrs in reader.tags:
            assert tag != "img" or attrs.get("alt"), path


def test_forms_without_their_token_are_refused_with_a_page(asha: Visit) -> None:
    careful = Client(enforce_csrf_checks=True, headers={"Accept": "text/html"})
    careful.cookies = asha.client.cookies
    for path in ("/logout/", "/login/", "/theme/", "/departures/1/hold/", "/bookings/X/cancel/"):
        answer = careful.post(path)
        assert answer.status_code == 403, path
        assert says(answer, "This page was open for too long"), path
    token = careful.get("/").context["csrf_token"]
    assert careful.post("/theme/", headers={"X-CSRFToken": str(token)}).status_code == 302


def test_whoever_changes_something_must_post(asha: Visit) -> None:
    for path in ("/logout/", "/theme/", "/departures/1/hold/", "/holds/x/extend/"):
        assert asha.get(path).status_code == 405, path


def test_the_browsers_language_is_spoken_and_a_choice_is_kept(stranger: Visit) -> None:
    hindi = stranger.client.get("/", headers=HINDI)
    assert read(hindi).tags[0][1]["lang"] == "hi"
    assert says(hindi, "गाड़ियाँ खोजें")
    stranger.post("/language/", {"language": "en", "next": "/"})
    assert says(stranger.client.get("/", headers=HINDI), "Find trains")


def test_a_hindi_page_leaves_the_api_in_english(stranger: Visit) -> None:
    stranger.client.get("/", headers=HINDI)
    answer = stranger.client.post(
        "/api/v1/auth/register/",
        {},
        content_type="application/json",
        headers={"Accept-Language": "hi"},
    )
    assert answer.json()["errors"]["username"] == ["This field is required."]


def test_light_and_dark_are_chosen_without_script(stranger: Visit) -> None:
    assert stranger.post("/theme/", {"theme": "dark", "next": "/login/"})["Location"] == "/login/"
    assert read(stranger.get("/")).tags[0][1]["data-theme"] == "dark"
    stranger.post("/theme/", {"theme": '"><script>'})
    assert read(stranger.get("/")).tags[0][1]["data-theme"] == "dark"


def test_people_get_a_page_and_programs_a_problem_document(stranger: Visit) -> None:
    page = stranger.get("/no/such/page/")
    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")
    for path, accept in (("/no/such/page/", "*/*"), ("/api/v1/no/", "text/html")):
        answer = stranger.client.get(path, headers={"Accept": accept})
        assert answer["Content-Type"] == "application/problem+json"


def test_too_many_requests_say_when_to_come_again(
    stranger: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    from config.errors import Throttled
    from config.http import throttles

    def refuse(*_args: object, **_more: object) -> None:
        raise Throttled(7)

    monkeypatch.setattr(throttles, "check", refuse)
    page = stranger.get("/")
    assert (page.status_code, page["Retry-After"]) == (429, "7")
    assert says(page, "Please wait 7 seconds and try again.")


def test_text_of_travellers_is_never_markup(asha: Visit, departure: Departure) -> None:
    evil = '"><script>alert(1)</script>'
    for path in (f"/search/?from={evil}&to={evil}", f"/departures/{departure.pk}/?class={evil}"):
        assert b"<script>alert" not in asha.get(path).content
    page = asha.held(departure, "S1-1")
    assert b"<script>alert" not in asha.post(page, {"name-0": evil}).content


def test_every_address_of_the_pages_is_a_page() -> None:
    """All is wrapped by `page`, but for Django's own choice of language."""
    patterns = [*get_resolver("web.urls").url_patterns]
    patterns = [entry for entry in patterns if entry.callback] + [
        inner for entry in patterns for inner in getattr(entry, "url_patterns", ())
    ]
    for entry in patterns:
        callback = entry.callback
        assert hasattr(callback, "__wrapped__") or callback is set_language, entry
