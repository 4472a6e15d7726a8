"""Another vehicle, by the staff's page: a plan to read, to confirm or to drop, with a reason."""

from typing import Any

import pytest

from config.outbox.models import OutboxEvent
from reservations.models import BookedSeat, Reseating, SeatBlock
from tests.analytics.travelling import book
from tests.pages.visiting import Visit, read, says
from tests.selling import Sale
from trains.models import VehicleTemplate

pytestmark = pytest.mark.django_db


def seats_of(pnr: str) -> list[str]:
    rows = BookedSeat.objects.filter(booking__pnr=pnr, live=True).select_related("seat__coach")
    return sorted(f"{row.seat.coach.label}-{row.seat.number}" for row in rows)


def plan(staff: Visit, sale: Sale, **said: Any) -> str:
    """Make a plan; the address of its page."""
    form = {"vehicle-S1": "-", "reason": "S1 broke down", **said}
    answer = staff.post(f"/staff/departures/{sale.departure.pk}/reseatings/", form)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def release(sale: Sale) -> None:
    """Bela lets go of S1-3: lost seats that are held are nobody's to plan."""
    assert sale.bela.delete(f"reservations/holds/{sale.hold['hold']}/").status_code == 204


def test_a_plan_names_who_has_no_seat_and_is_confirmed(sale: Sale, meera: Visit) -> None:
    """Two coaches of different classes: whoever sat in S1 has no seat in C1."""
    assert says(meera.get(f"/staff/departures/{sale.departure.pk}/"), "Another vehicle")
    address = plan(meera, sale)
    held = meera.post(f"{address}confirm/", {"reason": "Depot has no other"})
    assert (held.status_code, says(held, "is held by somebody")) == (409, True)
    release(sale)
    page = meera.get(address)
    assert says(page, "Without a seat 2")
    assert {"S1-1", "S1-2"} <= set(read(page).texts)
    assert seats_of(sale.booked["pnr"]) == ["S1-1", "S1-2"], "nobody moves before it is confirmed"
    assert meera.post(f"{address}confirm/", {"reason": ""}).status_code == 400
    done = meera.post(f"{address}confirm/", {"reason": "Depot has no other"})
    assert done["Location"] == address
    shown = meera.get(address)
    assert says(shown, "done")
    assert not says(shown, "Confirm and move them")
    assert seats_of(sale.booked["pnr"]) == []
    fact = OutboxEvent.objects.get(kind="staff.reseating-done")
    assert meera.user is not None
    assert (fact.body["actor"], fact.body["reason"]) == (meera.user.pk, "Depot has no other")
    assert meera.post(f"{address}confirm/", {"reason": "once more"}).status_code == 409
    plans = meera.get(f"/staff/departures/{sale.departure.pk}/reseatings/")
    assert says(plans, "S1 broke down")


def test_a_shorter_coach_of_its_kind_moves_the_last_seats_alone(sale: Sale, meera: Visit) -> None:
    release(sale)
    VehicleTemplate.objects.create(
        code="SHORT",
        travel_class="SL",
        layout={"unit": "row", "capacity": 7, "seats": [{"position": "window", "x": 0, "y": 0}]},
    )
    late = book(sale.anna, sale.departure, "S1-7")["pnr"]
    form = read(meera.get(f"/staff/departures/{sale.departure.pk}/reseatings/"))
    assert ("option", {"value": "SHORT"}) in form.tags
    address = plan(meera, sale, **{"vehicle-S1": "SHORT", "seats-S1": "6"})
    (made,) = Reseating.objects.all()
    assert (len(made.lost), len(made.moves)) == (2, 1)
    (move,) = made.moves
    assert move["new"] is not None
    assert says(meera.get(address), f"{late} ")
    other = meera.get(f"/staff/departures/{sale.departure.pk}/reseatings/")
    assert says(other, "A plan is open")
    assert meera.post(f"{address}drop/", {"reason": ""}).status_code == 400
    dropped = meera.post(f"{address}drop/", {"reason": "It was repaired"})
    assert dropped["Location"] == f"/staff/departures/{sale.departure.pk}/"
    assert not SeatBlock.objects.exists()
    assert seats_of(late) == ["S1-7"]
    fact = OutboxEvent.objects.get(kind="staff.reseating-dropped")
    assert fact.body["reason"] == "It was repaired"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"vehicle-S1": ""}, "Say of a coach at least how it runs."),
        ({"reason": "no"}, "Say why, in at most 200 characters."),
        ({"vehicle-S1": "NOWHERE"}, "There is no vehicle NOWHERE."),
        ({"seats-S1": "many"}, "S1: a whole number of seats."),
    ],
)
def test_a_form_that_does_not_fit_comes_back_with_what_was_said(
    sale: Sale, meera: Visit, said: dict[str, str], told: str
) -> None:
    form = {"vehicle-S1": "-", "reason": "S1 broke down", **said}
    answer = meera.post(f"/staff/departures/{sale.departure.pk}/reseatings/", form)
    assert answer.status_code == 400
    assert says(answer, told)
    assert f'value="{form["reason"]}"' in answer.content.decode()
    assert not Reseating.objects.exists()


def test_a_departure_or_a_plan_that_is_not_there(meera: Visit) -> None:
    for path in ("/staff/departures/99999/reseatings/", "/staff/reseatings/99999/"):
        assert meera.get(path).status_code == 404
