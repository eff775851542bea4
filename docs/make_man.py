"""
Make the manual page `saturi.1` of the command line from its own help.

    python docs/make_man.py build/saturi.1
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from saturi.etl.console.dispatch import COMMANDS, cli
from saturi.etl.console.help import Command
from saturi.etl.version import __version__


def main(file: Path) -> None:
    """Write the page to *file*."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page: every command with its options and examples, in the order in which commands are used."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    context = click.Context(cli, info_name="saturi")
    yield f'.TH SATURI 1 "" "saturi {__version__}" "Saturi"'
    yield ".SH NAME"
    yield _text("saturi - AI-Hub's Korean dialect label archives to chat fine-tuning data")
    yield ".SH SYNOPSIS"
    yield _text("saturi COMMAND [OPTIONS] [ARGUMENTS]")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if isinstance(command, Command):
            yield from _command(command, click.Context(command, info_name=name, parent=context))
    yield ".SH SEE ALSO"
    yield _text("saturi COMMAND --help; the documents beside the source")


def _command(command: Command, context: click.Context) -> Iterator[str]:
    yield f".SH {command.name}".upper()
    yield _text(command.get_usage(context).removeprefix("Usage: "))
    for paragraph in (command.help or "").split("\n\n"):
        yield ".PP"
        yield _text(" ".join(paragraph.split()))
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if record is not None:
            yield ".TP"
            yield f".B {_text(record[0])}"
            yield _text(record[1])
    for line, purpose in command.examples:
        yield ".TP"
        yield f".I {_text(line)}"
        yield _text(purpose)


def _text(text: str) -> str:
    """Return *text* with what roff would understand escaped."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    main(Path(sys.argv[1]))
