"""Where the output of commands goes: the result to stdout, everything else to stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from rich.console import Console


def consoles() -> tuple["Console", "Console"]:
    """Return consoles on stdout and on stderr that survive what their encoding cannot show."""
    from rich.console import Console

    # What is not a terminal has no width; tables in a file or a log should not be folded at 80 columns.
    return Console(width=None if sys.stdout.isatty() else 132), Console(stderr=True)


def print_json(value: Any) -> None:
    """Print *value* on stdout for machines: keys sorted, two-space indent."""
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2) + b"\n")
    sys.stdout.flush()


@contextmanager
def resumable(errors: "Console") -> Iterator[None]:
    """Say on *errors* how to go on when the command is interrupted here."""
    try:
        yield
    except KeyboardInterrupt:
        errors.print("Interrupted. Run the same command again: it goes on where it stopped.")
        raise click.Abort from None
