"""Writes what was measured into docs/BENCHMARKS.md, between marks; the words around them stay."""

import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from config.embedded.places import CHECKOUT


def docs_folder() -> Path:
    """Where the page and its `bench/` folder lie; BENCH_DOCS names another place."""
    return Path(os.environ.get("BENCH_DOCS") or CHECKOUT / "docs")


def keep_json(name: str, report: dict[str, Any]) -> Path:
    """The whole report, beside the page."""
    path = docs_folder() / "bench" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1, default=str) + "\n")
    return path


def plot_path(name: str) -> Path:
    return docs_folder() / "bench" / f"{name}.svg"


def put(block: str, markdown: str) -> None:
    """Replace the block between its two marks; a page without it gets it at its end."""
    page = docs_folder() / "BENCHMARKS.md"
    text = page.read_text() if page.exists() else "# Benchmarks\n"
    begin, end = f"<!-- {block}: written by make {block} -->", f"<!-- end of {block} -->"
    fresh = f"{begin}\n\n{markdown.strip()}\n\n{end}"
    marked = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if marked.search(text):
        text = marked.sub(lambda _: fresh, text)
    else:
        text = f"{text.rstrip()}\n\n{fresh}\n"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; the first column is text, the others numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def machine_line(machine: dict[str, Any]) -> str:
    """What it was measured on, in one sentence."""
    load = ", ".join(map(str, machine["load_1_5_15"]))
    return (
        f"{machine['at']}, {machine['cores']} cores ({machine['processor']}), "
        f"{machine['memory_gb']} GB, load before {load}; Python {machine['python']}, "
        f"Django {machine['django']}, Granian {machine['granian']}, "
        f"PostgreSQL {machine['postgresql']}, Valkey {machine['valkey']}, "
        f"MongoDB {machine['mongodb']}."
    )
