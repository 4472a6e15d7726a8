"""The demo network, and the command that makes everything a stranger needs."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import Count

from config import clock
from trains.models import Departure, Seat, Station, Train, VehicleTemplate
from trains.services import load_demo_network as demo
from trains.services.load_demo_network import load_demo_network
from trains.services.load_templates import load_templates
from users.models import User


@pytest.fixture
def network(db: None) -> None:
    del db
    load_templates()
    load_demo_network()


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "seatlock_embedded", "1")


@pytest.mark.usefixtures("network")
def test_it_has_what_real_networks_have() -> None:
    assert Train.objects.filter(mode="rail").count() >= 8
    assert Train.objects.filter(mode="bus").exists()
    classes = set(Train.objects.values_list("coaches__travel_class", flat=True))
    assert {"SL", "3A", "2A", "CC", "2S", "GEN", "SEAT", "BERTH"} <= classes
    runs = dict(Train.objects.annotate(days=Count("departures")).values_list("number", "days"))
    assert min(runs.values()) < 61, "some trains should not run every day"
    ends = [train.stops.latest("sequence").arrival_seconds for train in Train.objects.all()]
    assert any(86_400 < seconds < 2 * 86_400 for seconds in ends), "no run over midnight"
    assert any(seconds > 2 * 86_400 for seconds in ends), "no run of three days"
    assert not Seat.objects.filter(position="").exists()


@pytest.mark.usefixtures("network")
def test_every_train_has_its_way_back_with_the_same_length() -> None:
    ends = {
        train.number: [(s.station.code, s.distance_km) for s in train.stops.all()]
        for train in Train.objects.filter(mode="rail")
    }
    pairs = {(way[0][0], way[-1][0], way[-1][1]) for way in ends.values()}
    assert pairs == {(there, here, km) for here, there, km in pairs}


@pytest.mark.usefixtures("network")
def test_loading_it_again_changes_nothing() -> None:
    before = list(Train.objects.order_by("pk").values())
    Station.objects.filter(code="HBC").update(name="Ours")
    assert load_demo_network() == 0
    assert list(Train.objects.order_by("pk").values()) == before
    assert Station.objects.get(code="HBC").name == "Ours"


def test_every_station_of_the_file_is_used() -> None:
    network = json.loads(demo.NETWORK.read_text())
    used = {stop["station"] for train in network["trains"] for stop in train["stops"]}
    assert used == {station["code"] for station in network["stations"]}


@pytest.mark.django_db
@pytest.mark.usefixtures("embedded")
def test_one_command_makes_all_of_it_and_can_be_repeated() -> None:
    said = StringIO()
    call_command("seed_demo", stdout=said)
    assert said.getvalue().startswith("9 vehicle templates and 10 demo trains added")
    assert VehicleTemplate.objects.count() == 9
    assert set(User.objects.values_list("username", flat=True)) == {"admin", "traveller"}
    assert Departure.objects.filter(sale_opens_at__lte=clock.now()).exists()
    before = Departure.objects.count()
    again = StringIO()
    call_command("seed_demo", stdout=again)
    assert again.getvalue().startswith("0 vehicle templates and 0 demo trains added, 0 more")
    assert Departure.objects.count() == before


@pytest.mark.django_db
def test_a_start_after_some_days_finds_the_window_filled() -> None:
    call_command("seed_demo", stdout=StringIO())
    before = Departure.objects.count()
    with clock.moved(timedelta(days=7)):
        call_command("seed_demo", stdout=StringIO())
    assert Departure.objects.count() > before


@pytest.mark.django_db
def test_feeds_are_offered_but_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "north.zip").write_bytes(b"no feed at all")
    monkeypatch.setattr(settings.ENV, "seatlock_feeds", str(tmp_path))
    said = StringIO()
    call_command("seed_demo", stdout=said)
    assert f"import_gtfs {tmp_path / 'north.zip'}" in said.getvalue()
    monkeypatch.setattr(settings.ENV, "seatlock_feeds", str(tmp_path / "none"))
    call_command("seed_demo", stdout=said)
    assert f"no .zip in {tmp_path / 'none'}" in said.getvalue()
