"""Memory that a process has used, as its system counts it, and address space that it may have."""

import os
import re
import sys
from pathlib import Path

from saturi.etl.errors import ExhaustedError

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]  # a module that some systems lack

_POLARS_BYTES = 448 << 20
_PROCESSOR_BYTES = 16 << 20
"""Address space of a process with Polars, and of its threads per processor: 245 to 380 MiB with two processors (Polars 2.1)."""

_M_ARENA_MAX = -8  # malloc.h of glibc


def peak_bytes() -> int:
    """
    Return the most memory (resident set) this process has had at once, in bytes; 0 where the system has no such number.

    On Linux `getrusage` is no help: a new process begins with the peak of the one that started it (getrusage(2), proc(5)).
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        status = ""
    high_water = re.search(r"^VmHWM:\s+(\d+) kB$", status, flags=re.MULTILINE)
    if high_water is not None:
        return int(high_water[1]) * 1024
    if resource is None:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def require_address_space(part: str = "a process", other_bytes: int = 0) -> None:
    """
    Prepare this process for a limit of its address space (`ulimit -v`), where there is one, before large libraries are loaded.

    Libraries in C++ and Rust end the process where an allocation fails, so that no error can be raised afterwards.

    Args:
        part: What needs it.
        other_bytes: Address space that it needs beside Polars; mostly more than the memory it uses.

    Raises:
        ExhaustedError: The limit is lower.
    """
    allowed_bytes = _allowed_address_bytes()
    if allowed_bytes is None:
        return
    needed_bytes = _POLARS_BYTES + _PROCESSOR_BYTES * (os.cpu_count() or 1) + other_bytes
    if allowed_bytes < needed_bytes:
        raise ExhaustedError.address_space(part, needed_bytes, allowed_bytes)
    _share_arena()


def _allowed_address_bytes() -> int | None:
    """Return the limit of the address space of this process; None without one."""
    if resource is None or not hasattr(resource, "RLIMIT_AS"):
        return None
    allowed_bytes, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if allowed_bytes == resource.RLIM_INFINITY else allowed_bytes


def _share_arena() -> None:
    """Let all threads allocate from one arena: glibc reserves 64 MiB of address space for the arena of each (mallopt(3))."""
    import ctypes  # noqa: PLC0415 - 3 ms, which most commands need not spend

    try:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
    except (AttributeError, OSError):  # another C library
        return
