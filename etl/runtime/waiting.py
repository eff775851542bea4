"""Long waits: what is said of one while it lasts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def reported_after(seconds: float, report: Callable[[], None]) -> Iterator[None]:
    """Call *report*, in a thread of its own, where what runs inside has not ended after *seconds*."""
    timer = threading.Timer(seconds, report)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
