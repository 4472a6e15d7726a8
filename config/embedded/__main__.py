"""The command line: `python -m config.embedded --help`."""

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from config.embedded.beside import run_with_stores
from config.embedded.errors import EmbeddedError
from config.embedded.guard import say
from config.embedded.places import delete_home
from config.embedded.processes import die_with_parent
from config.embedded.serve import serve_all, serve_stores
from config.embedded.shells import open_shell

SHELLS = ("psql", "redis-cli", "mongo")


def main(arguments: list[str]) -> int:
    if arguments[:1] and arguments[0] in SHELLS:
        # Not argparse's business: `psql -c ...` begins with what it would take for its own option.
        return _or_say(lambda: open_shell(arguments[0], arguments[1:]))
    chosen = _parser().parse_args(arguments)
    if chosen.die_with_parent:
        die_with_parent(signal.SIGTERM)
    return _or_say(lambda: _dispatch(chosen))


def _or_say(act: Callable[[], int]) -> int:
    try:
        return act()
    except EmbeddedError as failed:
        say(str(failed))
        return 1


def _dispatch(chosen: argparse.Namespace) -> int:
    match chosen.verb:
        case "run":
            return serve_all()
        case "stores":
            return serve_stores(own_ports=chosen.free_ports, env_file=chosen.env_file)
        case "with":
            return run_with_stores(chosen.command, profile=chosen.profile)
        case "forget":
            delete_home()
            return 0
        case _:
            raise AssertionError(chosen.verb)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m config.embedded", description=__doc__)
    parser.add_argument(
        "--die-with-parent",
        action="store_true",
        help="stop when the process that started this one ends (for make)",
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("run", help="run stores, web, worker and beat until Ctrl-C")
    stores = verbs.add_parser("stores", help="run the stores alone until Ctrl-C")
    stores.add_argument("--free-ports", action="store_true", help="any ports, not the set ones")
    stores.add_argument("--env-file", type=Path, help="also write their URLs to this file")
    beside = verbs.add_parser("with", help="run a command beside fresh stores of its own")
    beside.add_argument("--profile", default="test", help="first part of the data folder's name")
    beside.add_argument("command", nargs="+", metavar="COMMAND")
    for shell in SHELLS:
        verbs.add_parser(shell, help=f"open {shell} on the live store, with its own arguments")
    verbs.add_parser("forget", help="delete all data of the embedded stores")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
