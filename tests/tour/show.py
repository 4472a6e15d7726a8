"""How the tour speaks: a heading for each step, below it what was asked and what came back."""

import json
from typing import Any

from rich.console import Console
from rich.table import Table

WIDTH = 150

_out = Console(highlight=False, emoji=False, soft_wrap=True, width=WIDTH)
_steps = iter(range(1, 100))


def step(title: str) -> None:
    _out.print(f"\n[bold]{next(_steps)}. {title}[/bold]")


def said(line: str) -> None:
    _out.print(f"   {line}", markup=False)


def asked(line: str) -> None:
    """A command or call, as a person would type it."""
    _out.print(f"   $ {line}", style="cyan", markup=False)


def document(value: Any) -> None:
    for line in json.dumps(value, indent=2, default=str).splitlines():
        said(line)


def table(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    drawn = Table(*columns, box=None, pad_edge=False, header_style="dim")
    for row in rows:
        drawn.add_row(*map(str, row))
    for line in _lines(drawn):
        said(line)


def failed(reason: str) -> None:
    _out.print(f"\n[bold red]The tour failed:[/bold red] {reason}")


def done(line: str) -> None:
    _out.print(f"\n[bold green]{line}[/bold green]")


def _lines(drawn: Table) -> list[str]:
    with _out.capture() as captured:
        _out.print(drawn)
    return [line.rstrip() for line in captured.get().splitlines()]
