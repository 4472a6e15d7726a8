"""Landing and results: from typed names to departures with fares and free seats."""

from datetime import timedelta
from typing import Any

import pytest

from config import clock
from tests.availability import railway
from tests.pages.visiting import Visit, read, says
from trains.models import Departure, Train

pytestmark = pytest.mark.django_db


def query(departure: Departure, **more: Any) -> dict[str, Any]:
    day = departure.service_date.isoformat()
    return {"from": "AAA", "to": "ccc junction", "date": day, **more}


def test_the_landing_page_asks_where_to(stranger: Visit) -> None:
    page = stranger.get("/")
    assert page.status_code == 200
    names = {attrs.get("name") for tag, attrs in read(page).tags if tag in {"input", "select"}}
    assert {"from", "to", "date", "class", "seats"} <= names


def test_results_show_times_of_the_station_fares_and_free_seats(
    stranger: Visit, departure: Departure
) -> None:
    page = stranger.get("/search/", **query(departure, seats=2))
    assert page.status_code == 200
    for text in ("Express 10101", "08:00", "09:58", "1 h 58 min", "8 left", "AC chair car"):
        assert says(page, text), text
    links = [a["href"] or "" for tag, a in read(page).tags if a.get("class") == "fare"]
    assert links == [
        f"/departures/{departure.pk}/?from=AAA&to=CCC&class={name}&seats=2" for name in ("SL", "CC")
    ]


def test_a_station_nobody_knows_is_named_at_its_field(stranger: Visit, express: Train) -> None:
    page = stranger.get("/search/", **{"from": "Nowhere", "to": "AAA"})
    assert page.status_code == 400
    assert says(page, "We know no station “Nowhere”.")
    assert any(a.get("aria-describedby") == "from_error" for _, a in read(page).tags)


def test_a_name_that_means_several_stations_offers_the_others(
    stranger: Visit, departure: Departure
) -> None:
    page = stranger.get("/search/", **{**query(departure), "to": "Junction"})
    assert says(page, "Did you mean")


def test_sorting_and_filters(stranger: Visit, express: Train, departure: Departure) -> None:
    early = railway.train("20202", stops=("AAA", "CCC"), first_departure_seconds=3 * 3600)
    railway.departure(early)

    def numbers(**more: Any) -> list[str]:
        page = stranger.get("/search/", **query(departure, **more))
        texts = read(page).texts
        return [text for text in texts if text in {"10101", "20202"}]

    assert numbers() == ["20202", "10101"]
    assert numbers(sort="duration") == ["20202", "10101"]
    assert numbers(sort="free", seats=6) == ["20202", "10101"]
    assert numbers(time="morning") == ["10101"]
    assert numbers(time="early") == ["20202"]
    assert numbers(time="night") == []
    assert numbers(sort="no such order") == ["20202", "10101"]


def test_a_full_train_is_hidden_only_if_asked(stranger: Visit, asha: Visit) -> None:
    small = railway.departure(railway.train("30303", coaches=(("S1", "SL", 2),)))
    asha.held(small, "S1-1", "S1-2")
    assert says(stranger.get("/search/", **query(small)), "sold out")
    assert says(stranger.get("/search/", **query(small, free=1)), "The filters hide every train")


def test_days_that_are_over_or_not_on_sale_say_so(stranger: Visit, departure: Departure) -> None:
    for days in (-400, -1, 3000):
        day = (clock.now() + timedelta(days=days)).date().isoformat()
        page = stranger.get("/search/", **{**query(departure), "date": day})
        assert says(page, "Not on sale"), days
    for odd in ("0001-01-01", "9999-12-31", "yesterday"):
        page = stranger.get("/search/", **{**query(departure), "date": odd})
        assert page.status_code == 400, odd
        assert says(page, "Choose a date."), odd


def test_stations_are_offered_while_typing(stranger: Visit, express: Train) -> None:
    offered = stranger.get("/stations/", **{"from": "bb"})
    assert [a["value"] for tag, a in read(offered).tags if tag == "option"] == [
        "Bbb Junction (BBB)"
    ]
    assert read(stranger.get("/stations/")).tags == []
