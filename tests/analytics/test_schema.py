"""MongoDB's collections are what analytics/schema.py says, also when that changes."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pymongo.database import Database
from pymongo.errors import WriteError
from pytest_django import Settings

from analytics import schema
from analytics.operations import audit
from config import clock

Mongo = Database[dict[str, Any]]

FACT = {"kind": "a.b", "subject": "s", "stage": 1, "number": 0, "schema_version": 1}


def retention_days(mongo: Mongo, collection: str) -> float:
    index = mongo[collection].index_information()["expire"]
    return float(index["expireAfterSeconds"]) / 86_400


def test_a_second_time_changes_nothing(mongo: Mongo) -> None:
    assert mongo.name
    said = StringIO()
    call_command("ensure_mongo", stdout=said)
    assert said.getvalue().strip() == "nothing to change"


def test_a_new_mongodb_gets_every_collection_and_index(mongo: Mongo) -> None:
    mongo.client.drop_database(mongo.name)
    changes = schema.ensure_schema()
    assert "facts: collection made" in changes
    for wanted in schema.collections():
        names = {model.document["name"] for model in wanted.indexes}
        assert set(mongo[wanted.name].index_information()) == names | {"_id_"}
    assert schema.ensure_schema() == []


def test_retention_follows_the_settings(mongo: Mongo, settings: Settings) -> None:
    assert retention_days(mongo, "facts") == settings.ENV.audit_retention_days
    changed = {"audit_retention_days": 11, "request_retention_days": 3}
    before, settings.ENV = settings.ENV, settings.ENV.model_copy(update=changed)
    schema.ensure_schema()
    assert (retention_days(mongo, "facts"), retention_days(mongo, "requests")) == (11, 3)
    settings.ENV = before
    schema.ensure_schema()


def test_an_index_that_was_changed_is_made_anew_and_a_strangers_is_left(mongo: Mongo) -> None:
    mongo.facts.drop_index("pnr_story")
    mongo.facts.create_index("number", name="pnr_story")
    mongo.facts.create_index("body.actor", name="theirs")
    try:
        assert schema.ensure_schema() == ["facts: index pnr_story set"]
        found = mongo.facts.index_information()
        assert found["pnr_story"]["key"] == [("pnr", 1), ("stage", 1), ("number", 1)]
        assert "theirs" in found
    finally:
        mongo.facts.drop_index("theirs")


@pytest.mark.parametrize("without", ["kind", "subject", "stage", "number", "at", "schema_version"])
def test_a_fact_without_its_parts_is_refused(mongo: Mongo, without: str) -> None:
    whole = FACT | {"at": clock.now()}
    mongo.facts.insert_one({"_id": "whole", **whole})
    part = {name: value for name, value in whole.items() if name != without}
    with pytest.raises(WriteError, match="failed validation"):
        mongo.facts.insert_one({"_id": "part", **part})


def test_without_mongodb_the_command_says_so(settings: Settings) -> None:
    from config.stores import mongo as mongo_client

    changed = {"mongo_url": "mongodb://127.0.0.1:1/", "mongo_timeout_seconds": 0.2}
    settings.ENV = settings.ENV.model_copy(update=changed)
    mongo_client._client.cache_clear()
    try:
        with pytest.raises(CommandError, match="MongoDB"):
            call_command("ensure_mongo")
    finally:
        mongo_client._client.cache_clear()


@pytest.mark.parametrize("asked", [{"hold": "h1"}, {"pnr": "P1"}, {"hold": "h1", "user": 7}])
def test_a_trail_is_found_by_an_index(mongo: Mongo, asked: dict[str, Any]) -> None:
    for number in range(200):
        names = {"hold": f"h{number}", "pnr": f"P{number}", "user": number % 9}
        mongo.facts.insert_one({"_id": f"f{number}", **FACT, **names, "at": clock.now()})
    plan = str(mongo.facts.find(audit._story(audit.Asked(**asked))).explain()["queryPlanner"])
    assert "IXSCAN" in plan
    assert "COLLSCAN" not in plan
    pipeline = audit.of_user(user=7, limit=20, offset=0)
    command = {"aggregate": "facts", "pipeline": pipeline, "cursor": {}}
    plan = str(mongo.command("explain", command, verbosity="queryPlanner"))
    assert "user_time" in plan
    assert "actor_time" in plan
    assert "COLLSCAN" not in plan
