"""
The local side of an output folder: where this machine keeps what commands write beside a build, such as the ledger.

On a disk that is the output folder itself. Into object storage none of it is written: there the local side is a folder of the
user's own, by the URL alone, so that it is found again from any working directory.
"""

import hashlib
import os
import re
import sys
from pathlib import Path

from saturi.etl.errors import ForeignFolderError, OptionError
from saturi.etl.output.files import MARKER, storage_errors, write_whole
from saturi.etl.settings.paths import output_of
from saturi.etl.storage.location import Location, ObjectPath

URL = "url"
"""The file of a local side that holds the URL it is of."""

_UNREADABLE = re.compile(r"[^\w.-]+")
_MOST_CHARACTERS = 60  # of bucket and name in the name of a folder, three bytes each in Hangul
_DIGITS = 8


def local_side(out: str | Location) -> Path:
    """
    Return the local side of *out*: the folder as it was named, or an absolute one that need not be there.

    Raises:
        OptionError: *out* is no location, or this user has no home folder.
    """
    location = output_of(out, "OUT")
    if isinstance(location, Path):
        return location
    url = str(location)
    readable = _UNREADABLE.sub("-", url.partition("://")[2])[-_MOST_CHARACTERS:].lstrip(".-")
    return _user_data() / "saturi" / f"{readable}-{hashlib.sha256(url.encode()).hexdigest()[:_DIGITS]}"


def make_side(out: str | Location) -> Path:
    """
    Return the local side of *out*, which is there then if *out* is a URL.

    Raises:
        OptionError: As of `local_side`.
        ForeignFolderError: It is that of another URL.
        StorageError: It cannot be made.
    """
    side, location = local_side(out), output_of(out, "OUT")
    if not isinstance(location, ObjectPath):
        return side
    named, content = side / URL, f"{location}\n".encode()
    with storage_errors(named, 0):
        side.mkdir(mode=0o700, parents=True, exist_ok=True)  # for this user alone, as the specification below has it
        if named.exists() and named.read_bytes() != content:
            raise ForeignFolderError(side, f"it is kept for another URL than {location}", "rename that folder")
        (side / MARKER).touch()
    if not named.exists():
        write_whole(named, [content])
    return side


def _user_data() -> Path:
    """
    Return where programs keep data of this user.

    By the XDG Base Directory Specification 0.8, by which a relative path counts for nothing; on macOS and Windows as their own.
    """
    given = Path(os.environ.get("XDG_DATA_HOME") or "")
    if given.is_absolute():
        return given
    roaming = os.environ.get("LOCALAPPDATA")
    if os.name == "nt" and roaming:
        return Path(roaming)
    try:
        home = Path.home()
    except RuntimeError as error:
        problem = "there is no home folder to keep a ledger and results in"
        raise OptionError("XDG_DATA_HOME", problem, "set it to a folder of your own") from error
    return home / ("Library/Application Support" if sys.platform == "darwin" else ".local/share")
