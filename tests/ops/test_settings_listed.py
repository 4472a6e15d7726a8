"""`.env.example` lists every setting with its true default, and nothing else."""

import re
from datetime import time
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from config.embedded.commands import DEFAULTS
from config.embedded.places import CHECKOUT
from config.embedded.settings import GIVEN_NAMES, PORT_DEFAULTS, read_environment
from config.environment import Environment


def listed() -> dict[str, str]:
    text = (CHECKOUT / ".env.example").read_text()
    return dict(re.findall(r"^#?([A-Z][A-Z_]*)=(.*)$", text, re.MULTILINE))


def written(default: object) -> str:
    """A default as an operator writes it."""
    if isinstance(default, list):
        return ",".join(default)
    if isinstance(default, time):
        return default.strftime("%H:%M")
    return "" if default is None or default is PydanticUndefined else str(default)


def test_every_setting_is_listed_with_its_default() -> None:
    fields = {name.upper(): field.default for name, field in Environment.model_fields.items()}
    known = {name: written(default) for name, default in fields.items()}
    known |= {name: str(port) for name, port in PORT_DEFAULTS.items()} | DEFAULTS

    assert listed().keys() == known.keys()
    examples = {name for name in GIVEN_NAMES if name != "SECRET_KEY"}  # these have no default
    different = {n: v for n, v in listed().items() if n not in examples and v != known[n]}
    assert different == {}


def test_a_copy_of_it_changes_nothing() -> None:
    lines = (CHECKOUT / ".env.example").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []


def test_the_environment_goes_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PORT=9001\nREDIS_URL='redis://from.the.file/0'\n")
    monkeypatch.setenv("PORT", "9002")
    monkeypatch.delenv("REDIS_URL")
    environment = read_environment(tmp_path)
    assert environment["PORT"] == "9002"
    assert environment["REDIS_URL"] == "redis://from.the.file/0"
