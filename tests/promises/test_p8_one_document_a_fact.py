"""P8: each fact becomes exactly one document, in the order it happened."""

from typing import Any

import pytest
from pymongo.database import Database

from analytics.shipping.shipper import ship_pending
from reservations.services.expire_holds import expire_holds
from tests.engine import Traveller
from tests.promises.test_confirm_crashes import Time, confirm, hold_of
from trains.models import Departure

pytestmark = pytest.mark.django_db(transaction=True)


def test_p8_each_fact_is_one_document_in_the_order_it_happened(
    anna: Traveller, departure: Departure, mongo: "Database[dict[str, Any]]", time_passes: Time
) -> None:
    booked, released, expired = (hold_of(anna, departure, f"S1-{n}") for n in (1, 2, 3))
    anna.post(f"reservations/holds/{booked}/extend/")
    with time_passes(5):
        anna.post(f"reservations/holds/{booked}/extend/")
        pnr = confirm(anna, booked).json()["pnr"]
        ship_pending()
        anna.post(f"reservations/bookings/{pnr}/cancel/")
        anna.delete(f"reservations/holds/{released}/")
        with time_passes(200):
            expire_holds()
            ship_pending()
            ship_pending()

    def story(**which: str) -> list[str]:
        found = mongo["facts"].find(which).sort([("stage", 1), ("number", 1)])
        return [document["_id"] for document in found]

    assert story(hold=booked) == [
        f"{booked}:held",
        *(f"{booked}:extended:{n}" for n in (1, 2)),
        f"{booked}:confirmed",
        f"{pnr}:cancelled",
    ]
    assert story(hold=released) == [f"{released}:held", f"{released}:released"]
    assert story(hold=expired) == [f"{expired}:held", f"{expired}:expired"]
    held = mongo["facts"].find_one({"_id": f"{booked}:held"})
    assert held is not None
    assert held["body"]["seats"] == ["S1-1"]
    assert held["source"] == "AAA"
