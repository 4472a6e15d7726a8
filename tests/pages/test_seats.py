"""The seats of a departure without JavaScript: look, tick, let us choose, be told of rivals."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from reservations.holds import ids
from tests.engine import Traveller
from tests.pages.visiting import Visit, read, says
from trains.models import Departure

pytestmark = pytest.mark.django_db

Time = Callable[[float], AbstractContextManager[None]]


def ticks(page: object) -> dict[str, bool]:
    """The list's checkboxes: seat, and whether it can be ticked."""
    found = [a for tag, a in read(page).tags if tag == "input" and a.get("type") == "checkbox"]
    return {a["value"] or "": "disabled" not in a for a in found}


def test_the_picture_and_the_list_say_the_same(
    stranger: Visit, asha: Visit, departure: Departure
) -> None:
    asha.held(departure, "S1-2")
    page = stranger.get(f"/departures/{departure.pk}/", **{"from": "AAA", "to": "CCC"})
    drawn = {
        a["data-seat"]: (a["class"] or "").split()[1]
        for tag, a in read(page).tags
        if tag == "g" and "data-seat" in a
    }
    assert drawn == {f"S1-{n}": "is-held" if n == 2 else "is-free" for n in range(1, 9)}
    assert ticks(page) == {f"S1-{n}": n != 2 for n in range(1, 9)}


def test_a_held_seat_is_free_on_another_stretch(
    stranger: Visit, asha: Visit, departure: Departure
) -> None:
    asha.held(departure, "S1-2")
    page = stranger.get(f"/departures/{departure.pk}/", **{"from": "CCC", "to": "EEE"})
    assert ticks(page)["S1-2"]


def test_coaches_and_classes_are_chosen_by_links(stranger: Visit, departure: Departure) -> None:
    path = f"/departures/{departure.pk}/"
    assert "C1-1" in ticks(stranger.get(path, coach="C1"))
    assert "C1-1" in ticks(stranger.get(path, **{"class": "CC"}))
    assert "S1-1" in ticks(stranger.get(path, **{"class": "none such", "coach": "nor this"}))


def test_the_best_seats_are_held_for_a_party(asha: Visit, departure: Departure) -> None:
    page = asha.held(departure, how="best", seats="3", preference="together", **{"class": "CC"})
    told = asha.get(page)
    assert told.status_code == 200
    assert says(told, "Who travels?")
    assert len([text for text in read(told).texts if text.startswith("Seat C1-")]) == 3


def test_a_seat_that_was_taken_is_explained_and_another_offered(
    asha: Visit, ravi: Visit, departure: Departure
) -> None:
    asha.held(departure, "S1-2")
    refused = ravi.hold(departure, "S1-2")
    assert refused.status_code == 409
    assert says(refused, "Seat S1-2 was taken a moment ago.")
    offered = [
        a["value"]
        for tag, a in read(refused).tags
        if tag == "input" and a.get("name") == "seat" and a.get("type") == "hidden"
    ]
    assert len(offered) == 1
    assert offered != ["S1-2"]
    assert ravi.hold(departure, str(offered[0])).status_code == 302


def test_more_seats_than_are_free_are_refused_in_place(asha: Visit, departure: Departure) -> None:
    asha.held(departure, *(f"C1-{n}" for n in range(1, 6)))
    refused = asha.hold(departure, how="best", seats="4", **{"class": "CC"})
    assert refused.status_code == 409
    assert says(refused, "Only 3 seats are free.")


def test_a_strangers_picks_are_held_once_they_sign_in(
    stranger: Visit, asha: Visit, departure: Departure
) -> None:
    asked = stranger.hold(departure, "S1-1", "S1-4")
    assert (asked.status_code, asked["Location"]) == (302, "/login/")
    assert says(stranger.get("/login/"), "We remember the seats you picked")
    answer = stranger.post("/login/", {"username": "asha", "password": "monsoon-Express-11057"})
    assert answer["Location"].startswith("/holds/")
    assert says(stranger.get(answer["Location"]), "S1-1, S1-4")
    assert "wish" not in stranger.client.session


def test_picks_that_were_taken_during_the_login_are_told(
    stranger: Visit, asha: Visit, ravi: Visit, departure: Departure
) -> None:
    stranger.hold(departure, "S1-1")
    ravi.held(departure, "S1-1")
    answer = stranger.post("/login/", {"username": "asha", "password": "monsoon-Express-11057"})
    assert answer.status_code == 409
    assert says(answer, "Seat S1-1 was taken a moment ago.")


def test_states_tell_what_changed_since_the_page_was_drawn(
    stranger: Visit, asha: Visit, departure: Departure, time_passes: Time
) -> None:
    def taken(visit: Visit) -> dict[str, list[object]]:
        page = visit.get(f"/departures/{departure.pk}/states/", **{"from": "AAA", "to": "CCC"})
        (div,) = [a for tag, a in read(page).tags if a.get("id") == "seat-states"]
        found: dict[str, list[object]] = json.loads(div["data-taken"] or "")
        return found

    assert taken(stranger) == {}
    asha.held(departure, "S1-1")
    (status, until), *rest = taken(stranger).values()
    assert (status, rest) == ("held", [])
    assert isinstance(until, int)
    assert taken(asha)["S1-1"][0] == "mine"
    with time_passes(181):
        assert taken(stranger) == {}


def test_nonsense_is_refused_with_a_page(asha: Visit, departure: Departure) -> None:
    path = f"/departures/{departure.pk}/"
    assert asha.get("/departures/999999/").status_code == 404
    assert asha.get(path, **{"from": "CCC", "to": "AAA"}).status_code == 400
    assert asha.hold(departure, "S9-99").status_code == 400
    assert asha.hold(departure).status_code == 400
    assert asha.hold(departure, *(f"S1-{n}" for n in range(1, 8))).status_code == 422
    assert asha.client.get(f"{path}hold/").status_code == 405


def test_seats_held_through_the_api_are_in_the_bar(
    asha: Visit, anna: Traveller, departure: Departure
) -> None:
    wish = {"departure": departure.pk, "source": "AAA", "destination": "BBB", "seats": ["S1-8"]}
    assert anna.post("reservations/lock/", wish).status_code == 201
    assert not says(asha.get("/"), "S1-8")
    page = asha.held(departure, "S1-7")
    assert ids.read(page.split("/")[2]).user == (asha.user and asha.user.pk)
    assert says(asha.get("/"), "S1-7")
