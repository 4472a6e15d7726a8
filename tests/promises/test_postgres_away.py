"""PostgreSQL away: holds go on, what needs it is 503, and all is well when it is back."""

import os

import pytest

from tests.promises.test_p4_survives_kill import first_departure, manage, signed_in
from tests.stores import OwnStore
from tests.web import until_answered_with, web_server

pytestmark = pytest.mark.timeout(180)


def test_without_postgres_seats_are_still_locked_and_confirm_waits_for_it(
    own_postgres: OwnStore, own_redis: OwnStore
) -> None:
    stores = {"DATABASE_URL": own_postgres.url, "REDIS_URL": own_redis.url, "THROTTLES": "off"}
    stores["DATABASE_TIMEOUT_SECONDS"] = "2"
    environment = {**os.environ, **stores}
    manage(environment, "migrate", "--verbosity", "0")
    manage(environment, "seed_demo")
    departure, source, destination = first_departure(own_postgres.url)
    wish = {"departure": departure, "source": source, "destination": destination, "count": 1}

    with web_server(WEB_WORKERS="1", **stores) as web:
        client = signed_in(web.url)
        assert client.post("/reservations/lock/", json=wish).status_code == 201
        own_postgres.stop()
        locked = client.post("/reservations/lock/", json=wish)
        assert locked.status_code == 201, locked.text
        hold = {"hold": locked.json()["hold"]}
        other = client.post("/reservations/lock/", json=wish).json()["hold"]
        assert client.delete(f"/reservations/holds/{other}/").status_code == 204
        refused = client.post("/reservations/confirm/", json=hold)
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        assert client.get("/reservations/bookings/").status_code == 503

        own_postgres.start()
        booked = until_answered_with(lambda: client.post("/reservations/confirm/", json=hold), 201)
        assert booked.json()["hold"] == hold["hold"]
        found = until_answered_with(lambda: client.get("/reservations/bookings/"), 200).json()
        assert found["count"] == 1
