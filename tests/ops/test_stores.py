"""The embedded stores are what the promises rest on: durable, private, and never forgetful."""

import os
import stat
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest
import redis

from config.embedded.places import Places
from tests.ops.running import eventually

REDIS_SETTINGS = ["REDIS_URL", "BROKER_URL", "CACHE_URL"]


@pytest.mark.parametrize("setting", REDIS_SETTINGS)
def test_redis_keeps_every_key_and_syncs_each_second(setting: str) -> None:
    client = redis.Redis.from_url(os.environ[setting], decode_responses=True)
    wanted = {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "everysec"}
    assert client.config_get(*wanted) == wanted
    assert client.config_get("maxmemory")["maxmemory"] not in {None, "0"}
    assert int(client.info("server")["redis_version"].split(".")[0]) >= 7


def test_holds_share_no_server_with_queue_and_cache() -> None:
    run_ids = [
        redis.Redis.from_url(os.environ[name]).info("server")["run_id"] for name in REDIS_SETTINGS
    ]
    assert run_ids[0] not in run_ids[1:]


def test_postgresql_loses_nothing_it_confirmed() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {name}").fetchone() == ("on",)
        (version,) = connection.execute("SHOW server_version_num").fetchone() or ("",)
        assert int(version) >= 180000


def test_postgresql_has_what_the_exclusion_constraint_needs() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        names = "SELECT name FROM pg_available_extensions WHERE name = 'btree_gist'"
        assert connection.execute(names).fetchone() == ("btree_gist",)


def test_mongodb_answers_a_journalled_majority_write_and_a_transaction() -> None:
    with pymongo.MongoClient[dict[str, Any]](
        os.environ["MONGO_URL"], w="majority", journal=True
    ) as client:
        collection = client["ops"].written
        assert collection.insert_one({}).acknowledged
        with client.start_session() as session, session.start_transaction():
            collection.insert_one({}, session=session)
        client.drop_database("ops")


def test_no_store_lets_a_neighbour_in_without_the_password() -> None:
    urls = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL", "MONGO_URL")}
    bare = {name: f"{url.split('://')[0]}://{url.split('@')[1]}" for name, url in urls.items()}
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(bare["REDIS_URL"]).ping()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(bare["DATABASE_URL"], user="seatlock", password="guess")
    with (
        pymongo.MongoClient[dict[str, Any]](bare["MONGO_URL"].split("?")[0]) as client,
        pytest.raises(pymongo.errors.OperationFailure),
    ):
        client["ops"].written.find_one()


def test_secrets_are_made_once_and_are_for_their_owner_only(tmp_path: Path) -> None:
    places = Places(data=tmp_path)
    first = places.secrets()
    assert places.secrets() == first
    assert len(set(first.values())) == len(first)
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_polling_gives_up_with_the_name_of_what_it_waited_for() -> None:
    with pytest.raises(AssertionError, match="the end of time"):
        eventually(lambda: False, what="the end of time", within_seconds=0.0)
