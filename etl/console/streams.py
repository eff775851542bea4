"""Standard streams that nothing can break: a line that cannot be written is left out, and the first reason is kept."""

import errno
import io
import os
import select
import sys
from typing import Any

from saturi.etl.console.signs import ERRORS
from saturi.etl.errors import StorageError

_STANDARD_DESCRIPTORS = 3
_LEFT = (errno.EPIPE, errno.EBADF)
"""Who started the command does not want its output, or no more of it: `| head`, `>&-`."""


class SturdyBytes(io.RawIOBase):
    """
    Write bytes to a stream as far as it takes them, and never fail.

    `failure` is the first reason why something was not written.

    Args:
        raw: What the system calls a stream; None where the command was started without.
    """

    def __init__(self, raw: Any) -> None:  # io's classes have no common type with a write that returns None
        self._raw = raw
        self.failure: OSError | None = None

    def writable(self) -> bool:
        """Return that it is, whatever becomes of what is written."""
        return True

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self._raw is not None and bool(self._raw.isatty())

    def fileno(self) -> int:
        """Return its number, if it has one."""
        if self._raw is None:
            raise io.UnsupportedOperation("fileno")
        number: int = self._raw.fileno()
        return number

    def write(self, data: Any) -> int:  # a buffer of any kind
        """Write *data* or, at the first failure, none of the rest, and return its length."""
        view = memoryview(data).cast("B")
        rest = view
        try:
            if self._raw is None:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            while rest:
                count = self._raw.write(rest)
                if count is None:  # another process that shares it has made it one that does not wait
                    select.select([], [self._raw], [])
                rest = rest[count or 0 :]
        except OSError as error:
            self.failure = self.failure or error
        return len(view)


def fill_descriptors() -> None:
    """Open nothing in place of standard streams that are closed, so that no file gets their numbers."""
    number = os.open(os.devnull, os.O_RDWR)
    while number < _STANDARD_DESCRIPTORS:
        os.set_inheritable(number, True)  # noqa: FBT003 - takes no keywords
        number = os.dup(number)
    os.close(number)


def strengthen() -> None:
    """Put sturdy streams in place of stdout and stderr; signs their encoding lacks have others in their place."""
    sys.stdout, sys.stderr = _sturdy(sys.stdout), _sturdy(sys.stderr)


def _sturdy(stream: Any) -> io.TextIOWrapper:
    buffer = getattr(stream, "buffer", None)
    raw = SturdyBytes(getattr(buffer, "raw", buffer))
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(stream, "encoding", None) or "utf-8",
        errors=ERRORS,
        line_buffering=getattr(stream, "line_buffering", True),
    )


def has_left() -> bool:
    """Return whether the reader of stdout has closed it, as `head` does when it has seen enough."""
    sys.stdout.flush()
    failure = _failure()
    return failure is not None and failure.errno == errno.EPIPE


def _failure() -> OSError | None:
    """Return the first reason why something was not written to stdout."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.failure if isinstance(raw, SturdyBytes) else None


def refuse_loss(*, may_have_left: bool = False) -> None:
    """
    Raise an error where something was not written to stdout.

    Args:
        may_have_left: Whether the reader may have closed it; a person closes what they have seen enough of.

    Raises:
        StorageError: Something was not written.
    """
    sys.stdout.flush()
    failure = _failure()
    if failure is not None and not (may_have_left and failure.errno in _LEFT):
        name = errno.errorcode.get(failure.errno or 0, "unknown")
        raise StorageError(
            "stdout", f"the result cannot be written there ({failure.strerror}, {name})", "what the command did is done"
        )
