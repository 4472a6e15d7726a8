"""A second start finds what the first one left; a folder has one user at a time."""

import signal
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import redis

from config.embedded.fleet import free_ports
from tests.ops.running import Keeper, live_urls, stand_in, starting_only

UP = "is up after"


def test_data_outlive_a_restart_and_a_change_of_ports(data: Path, keepers: list[Keeper]) -> None:
    first = stand_in(data)
    keepers.append(first)
    first.wait_for(UP)
    urls = live_urls(data)
    with psycopg.connect(urls["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('row')")
    redis.Redis.from_url(urls["REDIS_URL"]).set("kept", "key")
    with pymongo.MongoClient[dict[str, Any]](urls["MONGO_URL"], w="majority", journal=True) as old:
        old.get_default_database().kept.insert_one({"_id": "document"})
    first.process.send_signal(signal.SIGTERM)
    assert first.end() == 0

    second = stand_in(data, ports=dict(free_ports().ports))
    keepers.append(second)
    second.wait_for(UP)

    again = live_urls(data)
    assert again["DATABASE_URL"] != urls["DATABASE_URL"]
    with psycopg.connect(again["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT word FROM kept").fetchall() == [("row",)]
    assert redis.Redis.from_url(again["REDIS_URL"]).get("kept") == b"key"
    with pymongo.MongoClient[dict[str, Any]](again["MONGO_URL"]) as client:
        kept = client.get_default_database().kept
        assert kept.find_one() == {"_id": "document"}
        kept.insert_one({"_id": "a majority of one still answers"})


def test_a_folder_in_use_is_refused_with_its_users_process_id(
    data: Path, keepers: list[Keeper]
) -> None:
    first = stand_in(data, environment=starting_only("REDIS_URL"))
    keepers.append(first)
    first.wait_for(UP)

    second = stand_in(data, environment=starting_only("REDIS_URL"))
    keepers.append(second)

    assert second.end() == 1
    assert f"already run (process {first.guard.pid})" in second.messages
    assert first.process.poll() is None


def test_a_lock_file_whose_process_id_is_another_programs_does_not_stop_postgresql(
    data: Path, keepers: list[Keeper]
) -> None:
    first = stand_in(data, environment=starting_only("DATABASE_URL"))
    keepers.append(first)
    first.wait_for(UP)
    first.process.send_signal(signal.SIGTERM)
    assert first.end() == 0
    stale = data / "postgres" / "postmaster.pid"
    stale.write_text("1\n")  # as after a reboot: the number is somebody else's now

    second = stand_in(data, environment=starting_only("DATABASE_URL"))
    keepers.append(second)

    second.wait_for(UP)
