"""Where stores are: every form their libraries take, and sockets of this machine come first."""

import os
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import redis

from config.embedded.places import Places
from config.embedded.stores.postgres import Postgres
from config.embedded.stores.valkey import broker_valkey, holds_valkey
from config.stores.redis import holds_store
from config.stores.urls import BROKER, MONGO, POSTGRES, REDIS, checked, redis_server

MANY_HOSTS = "mongodb://me:word@a.example:27017,b.example:27018/audit?replicaSet=rs0"


@pytest.mark.parametrize(
    ("url", "schemes"),
    [
        ("postgresql:///seats?host=/run/postgresql", POSTGRES),
        ("postgresql://me:word@/seats?host=%2Frun%2Fpostgresql&port=5433", POSTGRES),
        ("postgresql://a.example:5432,b.example:5433/seats", POSTGRES),
        ("redis://:word@cache.example:6379/0", REDIS),
        ("unix://:word@/run/valkey/holds.sock?db=0", REDIS),
        ("redis+socket:///run/valkey/broker.sock", BROKER),
        (MANY_HOSTS, MONGO),
        ("mongodb+srv://cluster.example/audit", MONGO),
    ],
)
def test_every_form_that_the_library_takes_is_taken(url: str, schemes: frozenset[str]) -> None:
    assert checked(url, schemes) == url


@pytest.mark.parametrize(
    ("url", "schemes", "said"),
    [
        ("nonsense", POSTGRES, "must be a URL with scheme postgres or postgresql"),
        ("redis", REDIS, "must be a URL with scheme"),
        ("mongodb://me@a.example/", REDIS, "must be a URL with scheme redis or rediss or unix"),
        ("redis://:word@a.example:port/0", REDIS, "cannot be read as a redis URL"),
        ("postgresql://me:word@a.example/seats?hots=b", POSTGRES, "as a postgresql URL"),
        ("mongodb://me:word@a.example:port/", MONGO, "cannot be read as a mongodb URL"),
    ],
)
def test_a_wrong_url_is_refused_without_its_password(
    url: str, schemes: frozenset[str], said: str
) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        checked(url, schemes)
    assert "word" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("redis://:word@cache.example:6380/3", "cache.example:6380"),
        ("redis://cache.example", "cache.example:6379"),
        ("unix://:word@/run/a.sock?db=3", "/run/a.sock"),
        ("unix:///run/a.sock", "/run/a.sock"),
        ("redis+socket:///run/a.sock?virtual_host=2", "/run/a.sock"),
    ],
)
def test_a_server_is_known_by_where_it_listens(url: str, server: str) -> None:
    assert redis_server(url) == server


def test_the_embedded_stores_are_asked_over_sockets_that_are_their_owners_alone() -> None:
    kwargs = holds_store().connection_pool.connection_kwargs
    assert Path(kwargs["path"]).stat().st_mode & 0o777 == 0o700
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        found = connection.execute("SELECT inet_server_addr(), current_setting('port')").fetchone()
        assert found is not None
        assert found[0] is None  # not over IP
        folder = Path(connection.info.host)
    assert (folder / f".s.PGSQL.{found[1]}").is_socket()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_ports_are_there_for_everybody_else() -> None:
    password = holds_store().connection_pool.connection_kwargs["password"]
    port = holds_store().info("server")["tcp_port"]
    by_port = redis.Redis(host="127.0.0.1", port=port, password=password)
    process = by_port.info("server")["process_id"]
    by_port.close()
    assert process == holds_store().info("server")["process_id"]
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        number = connection.info.port
    with psycopg.connect(os.environ["DATABASE_URL"], host="127.0.0.1", port=number) as connection:
        assert connection.execute("SELECT inet_server_addr() IS NOT NULL").fetchone() == (True,)


def test_a_path_too_long_for_a_socket_has_a_port(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    (deep / "postgres").mkdir(parents=True)
    places = Places(data=deep)
    assert holds_valkey(places=places, port=5).urls["REDIS_URL"].endswith("@127.0.0.1:5/0")
    assert "@127.0.0.1:6/" in Postgres(places=places, port=6).urls["DATABASE_URL"]


def test_who_shares_a_server_with_celery_has_a_port(tmp_path: Path) -> None:
    """Celery writes the URL of a socket in its own way, which Django's cache does not know."""
    urls = broker_valkey(places=Places(data=tmp_path), port=5).urls
    assert all("@127.0.0.1:5/" in url for url in urls.values())


def test_a_folder_with_a_blank_has_a_socket_too(tmp_path: Path) -> None:
    folder = Path("/tmp") / f"a b{os.getpid()}"  # noqa: S108  # tmp_path may be too long
    folder.mkdir()
    try:
        url = holds_valkey(places=Places(data=folder), port=5).urls["REDIS_URL"]
    finally:
        (folder / "secrets.json").unlink(missing_ok=True)
        folder.rmdir()
    assert redis_server(url) == str(folder / "valkey-holds" / "s")
    assert quote(" ") in url
