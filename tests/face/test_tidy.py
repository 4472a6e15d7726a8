"""The house rules that a machine can check and no linter does."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.places import CHECKOUT
from config.stores import keys
from tests import side_by_side

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
BANNED_NAMES = {"utils.py", "helpers.py", "common.py", "util.py", "helper.py", "misc.py"}
PRODUCT = (
    "config",
    "users",
    "trains",
    "reservations",
    "analytics",
    "web",
    "celery_app.py",
    "manage.py",
)
LUA_HEADER = ("Purpose", "KEYS", "ARGV", "Answers", "Invariant")
# Spelled in parts, so that this file passes its own test.
BANNED_WORDS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b" + "TO" + r"DO\b",
        r"\b" + "FIX" + r"ME\b",
        "/wo" + "rk/",
        r"\.\./sha" + "red",
        r"\.\./\.libr" + "ary",
        "/tm" + "p/wt",
    )
)
# The one place that may know where feeds lie beside a checkout.
MAY_NAME_FEEDS = {".ci/run"}


def tracked() -> list[Path]:
    """Every file of the checkout that is not ignored: git's answer, or all but what it ignores."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
    )
    names = done.stdout.decode().split("\0") if done.returncode == 0 else list(walked())
    return [CHECKOUT / name for name in names if name and (CHECKOUT / name).is_file()]


def walked() -> Iterator[str]:
    """The same where there is no git: an unpacked archive."""
    left_out = {".venv", ".data", "node_modules", "staticfiles", "__pycache__"}
    for path in CHECKOUT.rglob("*"):
        parts = path.relative_to(CHECKOUT).parts
        if not left_out & set(parts) and not any(part.endswith("_cache") for part in parts):
            yield "/".join(parts)


FILES = tracked()
PYTHON = [path for path in FILES if path.suffix == ".py" and "migrations" not in path.parts]
LUA = [path for path in FILES if path.suffix == ".lua"]


def name_of(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def test_there_is_something_to_look_at() -> None:
    assert len(PYTHON) > 200
    assert len(LUA) > 10


def test_files_are_short() -> None:
    long = {
        name_of(path): lines
        for path in (*PYTHON, *LUA)
        if (lines := len(path.read_text().splitlines())) > FILE_LINES_MAX
    }
    assert not long


def test_functions_are_short() -> None:
    long = {
        f"{name_of(path)}:{node.lineno} {node.name}": lines
        for path in PYTHON
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert not long


def test_the_longest_files_are_where_the_suite_begins() -> None:
    """Renamed, a file would begin anywhere, last perhaps."""
    assert [path for path in side_by_side.LONGEST if not (CHECKOUT / path).is_file()] == []


def test_no_file_is_a_drawer() -> None:
    assert [name_of(path) for path in PYTHON if path.name in BANNED_NAMES] == []


def test_nothing_is_put_off_and_no_machine_is_named() -> None:
    found = []
    for path in FILES:
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        if name_of(path) in MAY_NAME_FEEDS:
            continue
        found += [f"{name_of(path)}: {word.pattern}" for word in BANNED_WORDS if word.search(text)]
    assert not found


def test_lock_files_name_no_index() -> None:
    locks = [path for path in FILES if path.name.startswith("requirements")]
    assert len(locks) >= 6
    found = [name_of(path) for path in locks if "://" in path.read_text()]
    assert not found


@pytest.mark.parametrize("path", LUA, ids=name_of)
def test_a_script_begins_with_its_contract(path: Path) -> None:
    text = path.read_text()
    if path.parent.name == "lib":
        assert text.startswith("-- "), "an included part says what it is"
        return
    assert text.startswith("#!lua"), "a script that says so may not touch undeclared slots"
    header = text.split("\n\n", 1)[0]
    comments = [line for line in header.splitlines() if line.startswith("-- ")]
    said = "\n".join(comments)
    missing = [word for word in LUA_HEADER if not re.search(rf"^-- {word}\b", said, re.MULTILINE)]
    assert not missing


def documented_keys() -> set[str]:
    """The middle parts of the keys named in the table of `config.stores.keys`: `live`, `due` …"""
    return set(re.findall(r"^\| `\{\w\}:(\w+)", keys.__doc__ or "", flags=re.MULTILINE))


def test_redis_keys_are_spelled_in_one_module() -> None:
    parts = "|".join(documented_keys())
    assert len(parts.split("|")) > 15
    spelled = re.compile(rf"\}}:({parts})(:|$)|^:({parts}):")
    found = []
    for path in PYTHON:
        if not name_of(path).startswith(PRODUCT) or name_of(path) == "config/stores/keys.py":
            continue
        tree = ast.parse(path.read_text())
        docs = {id(node) for node in _docstrings(tree)}
        found += [
            f"{name_of(path)}:{node.lineno} {node.value!r}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docs
            and spelled.search(node.value)
        ]
    assert not found


def test_scripts_use_only_documented_keys() -> None:
    known = documented_keys()
    used = {part for path in LUA for part in re.findall(r"TAG \.\. ':(\w+)", path.read_text())}
    assert used
    assert used <= known


def _docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr):
                yield first.value
