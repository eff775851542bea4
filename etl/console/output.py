"""Where the output of commands goes: the result to stdout, everything else to stderr."""

import sys
from typing import TYPE_CHECKING, Any

import msgspec

from etl.console.streams import refuse_loss
from etl.output.printable import escaped_json
from etl.runtime.interrupts import set_farewell

if TYPE_CHECKING:
    from rich.console import Console


def consoles() -> tuple["Console", "Console"]:
    """Return consoles on stdout and on stderr."""
    from rich.console import Console  # noqa: PLC0415 - what prints JSON does not wait for it

    # What is not a terminal has no width; tables in a file or a log should not be folded at 80 columns.
    return Console(width=None if sys.stdout.isatty() else 132), Console(stderr=True)


def print_json(value: Any) -> None:
    """
    Print *value* on stdout for machines: keys sorted, two-space indent.

    Raises:
        StorageError: It cannot be written whole.
    """
    _deliver(msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2))


def print_json_line(value: Any) -> None:
    """
    Print *value* on stdout for machines as one line, at once.

    Raises:
        StorageError: It cannot be written whole.
    """
    _deliver(msgspec.json.encode(value))


def _deliver(content: bytes) -> None:
    sys.stdout.buffer.write(escaped_json(content) + b"\n")
    refuse_loss()


def resumable() -> None:
    """Let an interrupt from here on end the command with how to go on."""
    set_farewell("Interrupted. Run the same command again: it goes on where it stopped.")
