"""Everything that comes before serving, in one process: `python -m config.embedded.set_up`.

The steps are those of `commands.SET_UP`. Each could be a process of its own, as in a container, but
each would load Django anew, which is most of a warm start. The only module here that needs Django;
it runs as a child, once the stores answer.
"""

from config.embedded.commands import SET_UP, command


def main() -> None:
    from django.core.management import execute_from_command_line

    import config.wsgi  # noqa: F401  # this is the check: all that a web process asks at start

    for step in SET_UP:
        _, *arguments = command(step, {})
        if arguments[0] == "manage.py":
            # Quiet: what is still said is for the person at the terminal.
            execute_from_command_line([*arguments, "--verbosity", "0"])


if __name__ == "__main__":
    main()
