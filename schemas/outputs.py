"""Outputs of commands by `--json`: their names, and their versions, which go up with a change that breaks readers."""

from typing import NamedTuple


class Output(NamedTuple):
    """
    An output: an object with `version`.

    Args:
        version: Its version.
        rows: The key of the list that is all it holds beside; None where the object has keys of its own.
        notes: Keys of lists of sentences beside those of its own.
    """

    version: int = 1
    rows: str | None = None
    notes: tuple[str, ...] = ()


OUTPUTS = {
    "build": Output(notes=("warnings", "failures")),
    "build-dry-run": Output(rows="archives"),
    "check": Output(notes=("notes",)),
    "diff": Output(),
    "doctor": Output(),
    "estimate": Output(notes=("notes",)),
    "estimate-all": Output(rows="offers"),
    "evaluate": Output(notes=("failures",)),
    "evaluate-show": Output(rows="systems"),
    "explain": Output(rows="label_files"),
    "fetch": Output(),
    "fetch-dry-run": Output(),
    "fetch-list": Output(rows="data_sets"),
    "fetch-repair": Output(rows="archives"),
    "inspect": Output(),
    "show": Output(rows="pairs"),
    "status": Output(),
    "submit": Output(),
    "submit-dry-run": Output(rows="requests"),
    "verify": Output(),
    "watch": Output(),
}
"""By name: the command, and the option by which it prints something else."""
