"""The client of MongoDB (MONGO_URL): one a process, made after fork."""

import os
from functools import cache
from typing import Any

import pymongo
from django.conf import settings
from pymongo import MongoClient
from pymongo.database import Database


@cache
def _client(process_id: int) -> "MongoClient[dict[str, Any]]":
    del process_id  # a client must not cross a fork: each process has its own
    timeout_ms = int(settings.ENV.mongo_timeout_seconds * 1000)
    return MongoClient(
        settings.ENV.mongo_url,
        serverSelectionTimeoutMS=timeout_ms,
        connectTimeoutMS=timeout_ms,
        socketTimeoutMS=max(timeout_ms, 10_000),
        tz_aware=True,
    )


def audit_database() -> "Database[dict[str, Any]]":
    """The database of facts and request logs. Raises `pymongo.errors.ConnectionFailure`."""
    return _client(os.getpid())[settings.ENV.mongo_database]


def require_mongo() -> None:
    """Ask for a sign of life before a question that may take long.

    A server that is gone or frozen looks like one that is busy: without this, its caller would
    wait as long as the long question may take. Raises `pymongo.errors.ConnectionFailure` within
    MONGO_TIMEOUT_SECONDS.
    """
    with pymongo.timeout(settings.ENV.mongo_timeout_seconds):
        audit_database().command("ping")
