"""Where the output of commands goes: the result to stdout, everything else to stderr."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from saturi.etl.console.streams import refuse_loss
from saturi.etl.output.printable import escaped_json
from saturi.etl.runtime.interrupts import set_farewell
from saturi.schemas.outputs import OUTPUTS

if TYPE_CHECKING:
    from rich.console import Console

_HALVES = re.compile("[\ud800-\udfff]")  # of surrogate pairs: bytes of a name that are not UTF-8


def consoles() -> tuple["Console", "Console"]:
    """Return consoles on stdout and on stderr."""
    from rich.console import Console  # noqa: PLC0415 - what prints JSON does not wait for it

    # What is not a terminal has no width; tables in a file or a log should not be folded at 80 columns.
    return Console(width=None if sys.stdout.isatty() else 132), Console(stderr=True)


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
    Print the output *name* on stdout for machines as one line, at once.

    Raises:
        StorageError: It cannot be written whole.
    """
    _deliver(_encoded(_versioned(name, value, {})))


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
    refuse_loss()


def resumable() -> None:
    """Let an interrupt from here on end the command with how to go on."""
    set_farewell("Interrupted. Run the same command again: it goes on where it stopped.")
