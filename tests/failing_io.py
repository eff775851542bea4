"""The one I/O call that fails: a small library preloaded into a command, on Linux with a C compiler."""

import errno
import os
import shutil
import struct
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

ROLES = ("parent", "worker")
CALLS = ("open", "read", "write", "fsync", "rename", "unlink", "mkdir", "mmap")
SOURCE = Path(__file__).with_suffix(".c")
_HEAD = struct.Struct(f"={len(ROLES) * len(CALLS)}qi")
_STATE_BYTES = 8192


class Failure(NamedTuple):
    """
    What fails: the calls number *first* to *last* of one kind on files below a folder.

    *role* is one of `ROLES`, and the calls of all workers are counted together; *call* is one of `CALLS`; *number* an errno.
    """

    role: str
    call: str
    number: int
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.call} {self.first}..{self.last} of the {self.role}: {errno.errorcode[self.number]}"


class Met(NamedTuple):
    """Number of calls by role and kind, number of those that failed, and the path of the first that did."""

    calls: dict[tuple[str, str], int]
    failures: int
    path: str


def failing_io(folder: Path) -> Path:
    """Return the library, compiled into *folder*; skip the test where that cannot be."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("a call that fails is preloaded by Linux's loader, and compiled by a C compiler, which is missing")
    library = folder / "failing_io.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
    return library


def environment_of(failure: Failure, library: Path, below: Path, state: Path) -> dict[str, str]:
    """Return the environment in which *failure* happens to files *below* a folder; *state* is a file to be made for it."""
    state.write_bytes(bytes(_STATE_BYTES))
    return {
        "LD_PRELOAD": str(library),
        "FAIL_ROLE": failure.role,
        "FAIL_CALL": failure.call,
        "FAIL_ERRNO": str(failure.number),
        "FAIL_FIRST": str(failure.first),
        "FAIL_LAST": str(failure.last),
        "FAIL_BELOW": f"{below}{os.sep}",
        "FAIL_STATE": str(state),
    }


def met(state: Path) -> Met:
    """Return what has become of the failure whose state is in the file *state*."""
    content = state.read_bytes()
    *counts, failures = _HEAD.unpack_from(content)
    calls = dict(zip(product(ROLES, CALLS), counts, strict=True))
    return Met(calls, failures, content[_HEAD.size :].split(b"\0", 1)[0].decode())
