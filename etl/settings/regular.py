"""Regular files and objects, opened without waiting: a pipe that is never written to, or an endless device, holds nobody up."""

import errno
import io
import os
import stat

from saturi.etl.storage.location import Location, ObjectPath

_FLAGS = os.O_RDONLY
for _name in ("O_BINARY", "O_NONBLOCK", "O_NOCTTY"):  # not every system has each
    _FLAGS |= getattr(os, _name, 0)

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


class NotRegularError(OSError):
    """A path leads to something other than a regular file."""


def kind_of(mode: int) -> str | None:
    """Return the kind of a file of *mode* that is no regular one, or None."""
    return None if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "no regular file")


def open_descriptor(path: str | bytes) -> int:
    """
    Return a descriptor of the file at *path*, for reading.

    Raises:
        NotRegularError: It is a pipe, a socket or a device.
        OSError: It cannot be opened, or is a folder.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fsdecode(path))
        kind = kind_of(mode)
        if kind is not None:
            raise NotRegularError(errno.EINVAL, f"it is {kind}", os.fsdecode(path))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def open_regular(path: Location) -> io.RawIOBase:
    """
    Open the file, or the object, at *path* for reading from its beginning, unbuffered.

    Raises:
        NotRegularError: It is a pipe, a socket or a device.
        OSError: It cannot be opened, or is a folder.
    """
    if isinstance(path, ObjectPath):
        return path.open_raw()
    # Path.open takes no opener; whoever calls this closes the file.
    return open(path, "rb", buffering=0, opener=lambda name, _: open_descriptor(name))


def read_regular(path: Location) -> bytes:
    """
    Return the content of the file, or the object, at *path*.

    Raises:
        OSError: As of `open_regular`.
    """
    if isinstance(path, ObjectPath):
        return path.read_bytes()
    with open_regular(path) as file:
        return file.readall()


def unread_advice(path: Location, of_a_file: str = "check the path and its permissions") -> str:
    """Return what to do where *path* cannot be read: *of_a_file* on a disk."""
    return "check bucket, endpoint and credentials" if isinstance(path, ObjectPath) else of_a_file
