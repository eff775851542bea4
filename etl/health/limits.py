"""Limits of memory and open files that the system sets this process, beside what the machine has."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]  # a module that some systems lack

_CGROUPS = Path("/sys/fs/cgroup")
_NO_LIMIT = 1 << 60
"""From here on a number of bytes stands for none: version 1 of cgroups has no word for it."""


def memory_limits() -> dict[str, int]:
    """Return the bytes of memory that this process may use, by what says so; what the system does not say is left out."""
    limits = dict(_of_machine())
    cgroup = cgroup_limit(_CGROUPS, _read(Path("/proc/self/cgroup")))
    if cgroup is not None:
        limits["cgroup"] = cgroup
    if resource is not None:
        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        if soft != resource.RLIM_INFINITY:
            limits["ulimit -v"] = soft
    return limits


def cgroup_limit(root: Path, membership: str) -> int | None:
    """
    Return the least limit of the cgroups of a process and those above them, or None (Linux, cgroups(7)).

    Args:
        root: Where cgroups are mounted.
        membership: The text of `/proc/PID/cgroup`.
    """
    limits = []
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, name = root, "memory.max"
        elif "memory" in controllers.split(","):
            base, name = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        folder = base / path.lstrip("/")
        for place in (folder, *folder.parents):
            text = _read(place / name).strip()
            if text.isdigit() and int(text) < _NO_LIMIT:
                limits.append(int(text))
            if place == base:
                break
    return min(limits, default=None)


def open_files() -> int | None:
    """Return how many files this process may have open, or None where that is not limited or not known."""
    if resource is None:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def _of_machine() -> Iterator[tuple[str, int]]:
    """Yield the memory of the machine, and how much of it is free for new processes (Linux, proc(5))."""
    text = _read(Path("/proc/meminfo"))
    for name, key in (("machine", "MemTotal"), ("available", "MemAvailable")):
        match = re.search(rf"^{key}:\s+(\d+) kB$", text, flags=re.MULTILINE)
        if match is not None:
            yield name, int(match[1]) * 1024
    if not text and hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        yield "machine", os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
