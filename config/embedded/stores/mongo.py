"""A real mongod, a replica set of one member: journalled majority writes are real ones.

It asks for a password even on loopback, for this may be a machine of many users.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from config.embedded.places import make_folder, wheel_file, write_private
from config.embedded.processes import ProcessSpec
from config.embedded.stores.base import RunOrFail, Store

REPLICA_SET = "seatlock"
USER = "seatlock"
DATABASE = "seatlock"
CACHE_GB = "0.25"
OPLOG_MB = "256"
NOT_YET_INITIALIZED = 94
INVALID_REPLICA_SET_CONFIG = 93
UNAUTHORIZED = 13
AUTHENTICATION_FAILED = 18


class Mongo(Store):
    name = "mongo"
    settings = frozenset({"MONGO_URL"})

    @property
    def programs(self) -> tuple[Path, ...]:
        return (wheel_file("fiftyone", "db/bin/mongod"),)

    @property
    def urls(self) -> Mapping[str, str]:
        # directConnection: the set's only member is where the URL says, whatever port it had
        # when the set was made.
        server = f"mongodb://{USER}:{self._password}@127.0.0.1:{self.port}"
        return {"MONGO_URL": f"{server}/{DATABASE}?authSource=admin&directConnection=true"}

    @property
    def _password(self) -> str:
        return self.places.secrets()["mongo"]

    @property
    def _folder(self) -> Path:
        return self.places.data / "mongo"

    @property
    def _key_file(self) -> Path:
        return self.places.data / "mongo.key"

    def prepare(self, run_or_fail: RunOrFail) -> None:
        del run_or_fail  # nothing to run
        make_folder(self._folder, 0o700)
        write_private(self._key_file, self.places.secrets()["mongo_keyfile"])

    def spec(self) -> ProcessSpec:
        (program,) = self.programs
        return ProcessSpec(
            name=self.name,
            argv=(
                str(program),
                *("--dbpath", str(self._folder), "--replSet", REPLICA_SET),
                *("--bind_ip", "127.0.0.1", "--port", str(self.port), "--nounixsocket"),
                *("--keyFile", str(self._key_file), "--oplogSize", OPLOG_MB),
                *("--wiredTigerCacheSizeGB", CACHE_GB, "--quiet"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            ),
            cwd=self._folder,
            log=self.log,
            grace_seconds=30.0,
        )

    def is_ready(self) -> bool:
        try:
            with self._client(username=USER, password=self._password) as client:
                return _is_primary(client) or self._repair_set(client)
        except OperationFailure as refused:
            if refused.code not in {AUTHENTICATION_FAILED, UNAUTHORIZED}:
                raise
        except PyMongoError:
            return False
        return self._make_set_and_user()

    def _make_set_and_user(self) -> bool:
        """First start. Without a user, mongod lets loopback make the set and the first user."""
        try:
            with self._client() as client:
                if not _is_primary(client):
                    self._initiate(client)
                    return False
                client.admin.command("createUser", USER, pwd=self._password, roles=["root"])
        except PyMongoError:
            return False
        return True

    def _initiate(self, client: pymongo.MongoClient[dict[str, Any]]) -> None:
        member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
        try:
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
        except OperationFailure:
            return  # made already, its election is under way

    def _repair_set(self, client: pymongo.MongoClient[dict[str, Any]]) -> bool:
        """The port has changed since the set was made, so it does not know itself: tell it."""
        answer: dict[str, Any] = client.admin.command("hello")
        if answer.get("hosts") != [f"127.0.0.1:{self.port}"]:
            document = client.local["system.replset"].find_one()
            if document is not None:
                document["members"][0]["host"] = f"127.0.0.1:{self.port}"
                document["version"] += 1
                client.admin.command("replSetReconfig", document, force=True)
        return False

    def _client(
        self, *, username: str | None = None, password: str | None = None
    ) -> pymongo.MongoClient[dict[str, Any]]:
        return pymongo.MongoClient(
            "127.0.0.1",
            self.port,
            directConnection=True,
            serverSelectionTimeoutMS=500,
            connectTimeoutMS=2000,
            socketTimeoutMS=10_000,
            username=username,
            password=password,
        )


def _is_primary(client: pymongo.MongoClient[dict[str, Any]]) -> bool:
    return bool(client.admin.command("hello").get("isWritablePrimary"))
