"""docker-compose.yml and Dockerfile are valid and run what `make run` runs.

Docker cannot be started in most places where this suite runs, so the file is held against the
Compose Specification's own schema (data/compose-spec.json, Apache 2.0) and our command table.
"""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from config.embedded.commands import LONG_RUNNING, SET_UP
from config.embedded.places import CHECKOUT
from config.embedded.settings import GIVEN_NAMES

SCHEMA = Path(__file__).parent / "data" / "compose-spec.json"
OURS = {"web", "live", "worker", "beat", "migrate", "demo"}
STORES = {"postgres", "redis", "queue", "mongo"}

Services = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
    return document


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> Services:
    found: Services = compose["services"]
    return found


def validator() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads(SCHEMA.read_text()))


def test_it_is_valid_by_the_compose_specification(compose: dict[str, Any]) -> None:
    assert [error.message for error in validator().iter_errors(compose)] == []


def test_the_schema_would_notice(compose: dict[str, Any]) -> None:
    misspelt = json.loads(json.dumps(compose))
    misspelt["services"]["web"]["helthcheck"] = {}
    assert any("helthcheck" in error.message for error in validator().iter_errors(misspelt))


def test_it_runs_the_commands_of_make_run(services: Services) -> None:
    assert services.keys() == OURS | STORES
    commands = {services[name]["command"][-1] for name in OURS}
    runners = {tuple(services[name]["command"][:-1]) for name in OURS}
    assert runners == {("python", "-m", "config.embedded.commands")}
    built_into_the_image = {"collect-static"}
    part_of_web = {"check"}
    assert commands | built_into_the_image | part_of_web == {*SET_UP, *LONG_RUNNING}


def test_every_server_has_a_health_check_and_every_store_a_volume(
    compose: dict[str, Any], services: Services
) -> None:
    for name in STORES | set(LONG_RUNNING):
        assert services[name]["healthcheck"]["test"], name
    for name in STORES:
        assert services[name]["volumes"][0].split(":")[0] in compose["volumes"], name


def test_every_store_is_named_by_its_setting(services: Services) -> None:
    for name in OURS:
        environment = services[name]["environment"]
        assert set(GIVEN_NAMES) - {"SECRET_KEY"} <= environment.keys()
        for setting in set(GIVEN_NAMES) - {"SECRET_KEY"}:
            host = re.sub(r"^.*(@|//)", "", environment[setting]).split(":")[0]
            assert host in STORES, (name, setting)


def test_no_redis_forgets_keys_and_holds_have_one_of_their_own(services: Services) -> None:
    for name in ("redis", "queue"):
        arguments = shlex.split(services[name]["command"])
        settings = dict(zip(arguments[1::2], arguments[2::2], strict=True))
        assert settings["--maxmemory-policy"] == "noeviction"
        assert settings["--appendonly"] == "yes"
        assert settings["--appendfsync"] == "everysec"
    assert "redis:" in services["web"]["environment"]["REDIS_URL"]
    assert "queue:" in services["web"]["environment"]["BROKER_URL"]


def test_images_are_official_and_pinned_to_a_major_version(services: Services) -> None:
    images = {services[name]["image"] for name in STORES}
    assert {image.split(":")[0] for image in images} == {"postgres", "redis", "mongo"}
    assert all(re.search(r":\d", image) for image in images)


def test_the_image_installs_by_hash_and_runs_as_nobody_special() -> None:
    lines = (CHECKOUT / "Dockerfile").read_text()
    assert "--require-hashes" in lines
    assert re.search(r"^USER (?!root)\w+$", lines, re.MULTILINE)
    for copied in re.findall(r"^COPY ([^\n]+) \S+$", lines, re.MULTILINE):
        for source in copied.split():
            assert (CHECKOUT / source).exists(), source
