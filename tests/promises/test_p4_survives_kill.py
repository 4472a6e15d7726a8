"""P4: a booking the client was told about survives `kill -9` of every process."""

import os
import signal
import subprocess
import sys

import httpx
import psutil
import psycopg
import pytest

from config.embedded.commands import CHECKOUT
from tests.stores import OwnStore
from tests.web import web_server

pytestmark = pytest.mark.timeout(180)


def manage(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def signed_in(url: str) -> httpx.Client:
    client = httpx.Client(base_url=f"{url}/api/v1", timeout=30)
    body = {"username": "traveller", "password": "seatlock-traveller"}
    access = client.post("/auth/login/", json=body).json()["access"]
    client.headers["Authorization"] = f"Bearer {access}"
    return client


def first_departure(database: str) -> tuple[int, str, str]:
    """Any departure of tomorrow or later, with its first and last station."""
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT d.id, a.code, z.code FROM trains_departure d"
            " JOIN trains_stop f ON f.train_id = d.train_id AND f.sequence = 0"
            " JOIN trains_station a ON a.id = f.station_id"
            " JOIN trains_stop l ON l.train_id = d.train_id"
            " JOIN trains_station z ON z.id = l.station_id"
            " WHERE d.service_date > current_date + 1"
            " ORDER BY d.id, l.sequence DESC LIMIT 1"
        ).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def test_p4_a_booking_the_client_was_told_about_survives_kill_9_of_every_process(
    own_postgres: OwnStore, own_redis: OwnStore
) -> None:
    stores = {"DATABASE_URL": own_postgres.url, "REDIS_URL": own_redis.url, "THROTTLES": "off"}
    environment = {**os.environ, **stores}
    manage(environment, "migrate", "--verbosity", "0")
    manage(environment, "seed_demo")
    departure, source, destination = first_departure(own_postgres.url)

    told = []
    with web_server(**stores) as web:
        client = signed_in(web.url)
        for count in (1, 2, 3):
            body = {
                "departure": departure,
                "source": source,
                "destination": destination,
                "count": count,
            }
            hold = client.post("/reservations/lock/", json=body).json()["hold"]
            booked = client.post("/reservations/confirm/", json={"hold": hold})
            assert booked.status_code == 201
            told.append((booked.json()["pnr"], count))
        parent = psutil.Process(web.process.pid)
        for process in (*parent.children(recursive=True), parent):
            os.kill(process.pid, signal.SIGKILL)
        own_postgres.kill()
        own_redis.kill()

    own_postgres.start()
    with psycopg.connect(own_postgres.url) as connection:
        (durable,) = connection.execute("SHOW fsync").fetchone() or ("",)
        rows = connection.execute(
            "SELECT b.pnr, count(*) FROM reservations_booking b"
            " JOIN reservations_bookedseat s ON s.booking_id = b.id AND s.live"
            " WHERE b.status = 'confirmed' GROUP BY b.id ORDER BY b.id"
        ).fetchall()
    assert durable == "on"
    assert rows == told
    own_redis.start()

    with web_server(**stores) as web:
        found = signed_in(web.url).get("/reservations/bookings/").json()
        assert {booking["pnr"] for booking in found["results"]} == {pnr for pnr, _ in told}
