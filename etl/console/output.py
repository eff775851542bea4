"""Where the output of commands goes: the result to stdout, everything else to stderr."""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from saturi.etl.console.display import display
from saturi.etl.console.streams import has_left, refuse_loss
from saturi.etl.output.printable import escaped_json
from saturi.etl.runtime.interrupts import set_farewell
from saturi.schemas.outputs import OUTPUTS

if TYPE_CHECKING:
    from rich.console import Console

_NO_TERMINAL_COLUMNS = 132
"""What is not a terminal has no width; tables in a file or a log are not folded at 80 columns."""

_HALVES = re.compile("[\ud800-\udfff]")  # of surrogate pairs: bytes of a name that are not UTF-8


def consoles() -> tuple["Console", "Console"]:
    """Return consoles on stdout and on stderr; one on stdout that shows nothing where only failures are wanted."""
    return _console(sys.stdout, quiet=display.quiet), _console(sys.stderr)


def _console(stream: TextIO, *, quiet: bool = False) -> "Console":
    from rich.console import Console  # noqa: PLC0415 - what prints JSON does not wait for it

    width = height = None
    if not stream.isatty() and "COLUMNS" not in os.environ:
        width = _NO_TERMINAL_COLUMNS
    elif os.environ.get("TERM") == "dumb":  # of which rich believes that it has 80
        width, height = shutil.get_terminal_size()
    return Console(stderr=stream is sys.stderr, quiet=quiet, width=width, height=height)


def print_json(name: str, value: Any, **notes: Sequence[str]) -> None:
    """
    Print the output *name* on stdout for machines, with its version: keys sorted, two-space indent.

    Args:
        name: A key of `OUTPUTS`.
        value: The whole, or the list of its rows.
        notes: Sentences beside it, by their key.

    Raises:
        StorageError: It cannot be written whole.
    """
    _deliver(msgspec.json.format(_encoded(_versioned(name, value, notes)), indent=2))


def print_json_line(name: str, value: Any) -> None:
    """
    Print the output *name* on stdout for machines as one line, at once; where its reader has left, end the command.

    Raises:
        StorageError: It cannot be written whole.
    """
    _deliver(_encoded(_versioned(name, value, {})))
    if has_left():
        sys.exit(0)


def print_schema(schema: dict[str, Any]) -> None:
    """
    Print a JSON Schema on stdout, keys in their order.

    Raises:
        StorageError: It cannot be written whole.
    """
    _deliver(msgspec.json.format(msgspec.json.encode(schema), indent=2))


def _versioned(name: str, value: Any, notes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    output = OUTPUTS[name]
    facts = msgspec.to_builtins(value) if output.rows is None else {output.rows: value}
    return {"version": output.version, **facts, **notes}


def _encoded(value: Any) -> bytes:
    """Return *value* as JSON, keys sorted; file names that are not UTF-8 are as on screens, since JSON cannot hold them."""
    try:
        return msgspec.json.encode(value, order="sorted")
    except UnicodeEncodeError:
        builtins = msgspec.to_builtins(value)
        compact = json.dumps(builtins, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return _HALVES.sub(lambda half: f"\\\\u{ord(half[0]):04x}", compact).encode()


def _deliver(content: bytes) -> None:
    sys.stdout.buffer.write(escaped_json(content) + b"\n")
    refuse_loss(may_have_left=has_left())


def typed_without(option: str) -> list[str]:
    """Return the words of this command line, as they were typed, without *option*."""
    return [word for word in sys.argv[1:] if word != option]


def resumable() -> None:
    """Let an interrupt from here on end the command with how to go on."""
    set_farewell("Interrupted. Run the same command again: it goes on where it stopped.")
