"""Memory that a process has used, as its system counts it."""

import re
import sys
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]  # a module that some systems lack


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
