"""The stores that tests stop at will behave as real ones do."""

from typing import Any

import psycopg
import pymongo
import pytest
import redis

from tests.stores import OwnStore


def test_a_killed_redis_comes_back_with_what_was_synced(own_redis: OwnStore) -> None:
    client = redis.Redis.from_url(own_redis.url)
    client.set("kept", "1")
    client.waitaof(1, 0, 5000)  # until the append-only file is on disk
    own_redis.kill()
    with pytest.raises(redis.ConnectionError):
        client.ping()
    own_redis.start()
    assert client.get("kept") == b"1"


def test_a_frozen_redis_answers_nobody_until_it_is_thawed(own_redis: OwnStore) -> None:
    client = redis.Redis.from_url(own_redis.url, socket_timeout=0.2, retry=None)
    client.ping()
    own_redis.freeze()
    with pytest.raises(redis.TimeoutError):
        client.ping()
    own_redis.thaw()
    assert client.ping()


def test_a_killed_postgresql_keeps_what_it_confirmed(own_postgres: OwnStore) -> None:
    with psycopg.connect(own_postgres.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
    own_postgres.kill()
    own_postgres.start()
    with psycopg.connect(own_postgres.url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (1,)


def test_a_killed_mongod_keeps_a_journalled_write(own_mongo: OwnStore) -> None:
    with pymongo.MongoClient[dict[str, Any]](own_mongo.url, w="majority", journal=True) as client:
        client["ops"].kept.insert_one({"_id": 1})
    own_mongo.kill()
    own_mongo.start()
    with pymongo.MongoClient[dict[str, Any]](own_mongo.url) as client:
        assert client["ops"].kept.find_one() == {"_id": 1}
