"""A system that fails: the calls that open, read and map files below a folder, one of them with an error of choice."""

import mmap
import os
from pathlib import Path
from typing import Any

import pytest


class FailingSystem:
    """
    Let the call number *at* (from 0, of all to open, read or map a file below *folder*) fail with the error *number*.

    Args:
        patch: Undoes all of it when the test ends.
        calls: Names of the calls that count: `open`, `read`, `mmap`, `scandir`.
        once: False to let every later one fail, too.
    """

    def __init__(
        self, patch: pytest.MonkeyPatch, folder: Path, number: int, at: int, calls: set[str], *, once: bool = True
    ) -> None:
        self.seen = 0
        self._folder, self._number, self._at, self._calls, self._once = str(folder), number, at, calls, once
        self._descriptors: set[int] = set()
        real_open, real_read, real_map, real_scan = os.open, os.read, mmap.mmap, os.scandir

        def fake_open(path: Any, *arguments: Any, **named: Any) -> int:
            below = os.fsdecode(path).startswith(self._folder)
            if below:
                self._count("open", path)
            descriptor = real_open(path, *arguments, **named)
            (self._descriptors.add if below else self._descriptors.discard)(descriptor)
            return descriptor

        def fake_read(descriptor: int, length: int) -> bytes:
            if descriptor in self._descriptors:
                self._count("read")
            return real_read(descriptor, length)

        def fake_map(descriptor: int, *arguments: Any, **named: Any) -> mmap.mmap:
            if descriptor in self._descriptors:
                self._count("mmap")
            return real_map(descriptor, *arguments, **named)

        def fake_scan(path: Any) -> Any:
            if not isinstance(path, int) and os.fsdecode(path).startswith(self._folder):
                self._count("scandir", path)
            return real_scan(path)

        patch.setattr(os, "open", fake_open)
        patch.setattr(os, "read", fake_read)
        patch.setattr(mmap, "mmap", fake_map)
        patch.setattr(os, "scandir", fake_scan)

    def _count(self, call: str, path: Any = None) -> None:
        if call not in self._calls:
            return
        number, self.seen = self.seen, self.seen + 1
        if number == self._at or (number > self._at and not self._once):
            raise OSError(self._number, os.strerror(self._number), path)
