"""Versions of this program and of what it runs on, without loading any of it."""

import platform
import shutil
import subprocess
import zlib
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from saturi.etl.version import __version__

_TREE = Path(__file__).resolve().parents[2]
_MOST_SECONDS = 5


def versions() -> dict[str, str]:
    """Return the versions of Python, of Polars and msgspec, and of ISA-L's binding, or of zlib where that stands in for it."""
    numbers = {"saturi": __version__, "python": platform.python_version()}
    names = ("polars", "msgspec", "isal") if find_spec("isal") else ("polars", "msgspec")
    for name in names:
        try:
            numbers[name] = version(name)
        except PackageNotFoundError:
            numbers[name] = "not installed"
    return numbers if "isal" in numbers else numbers | {"zlib": zlib.ZLIB_RUNTIME_VERSION}


def commit() -> str | None:
    """Return the commit of the source tree that this runs from; None for an installed wheel, or without git."""
    git = shutil.which("git") if (_TREE / ".git").exists() else None
    if git is None:
        return None
    command = [git, "-C", str(_TREE), "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_MOST_SECONDS, check=False)  # noqa: S603 - git itself, on our own tree
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def version_text() -> str:
    """Return what `saturi --version` prints: the program and its commit, then what it runs on."""
    numbers, of_tree = versions(), commit()
    ours = f"saturi {numbers.pop('saturi')}" + (f", commit {of_tree}" if of_tree else "")
    python = f"Python {numbers.pop('python')}"
    return "\n".join([ours, ", ".join([python, *(f"{name} {number}" for name, number in numbers.items())])])
