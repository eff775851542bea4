"""Keys: in a file for its owner's eyes alone, and fit to stand in a header."""

import os
import re
import stat
from pathlib import Path

from saturi.etl.errors import OptionError
from saturi.etl.settings.regular import open_regular

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MOST_KEY_BYTES = 65_536
_HEADER = re.compile("[\x21-\x7e]+")  # what stands in a header as it is


def as_header(name: str, value: str) -> str:
    """
    Return *value*, which can stand in a header.

    Args:
        name: The variable, or the file, that it is from.
        value: A key, or a name.

    Raises:
        OptionError: It cannot be sent.
    """
    if _HEADER.fullmatch(value) is None:
        raise OptionError(
            name, "it holds characters that cannot be sent", "copy it anew: letters, digits and signs alone"
        )
    return value


def key_in(path: Path) -> str:
    """
    Return the key in the file at *path*.

    Raises:
        OptionError: It cannot be read, others can read it, or it holds no key.
    """
    try:
        with open_regular(path) as file:  # a pipe that is never written to would hold us for ever
            mode, content = os.fstat(file.fileno()).st_mode, file.read(_MOST_KEY_BYTES)
        key = content.decode("utf-8-sig").strip()  # Windows editors put a byte order mark first
    except (OSError, ValueError) as error:  # a UnicodeDecodeError, or a NUL in the path, is a ValueError
        raise OptionError(str(path), "the key cannot be read", "check the file named by key_file") from error
    if os.name == "posix" and mode & _OTHERS:
        problem = f"others can read the key (mode {stat.S_IMODE(mode):04o})"
        raise OptionError(str(path), problem, f"chmod 600 {path}")
    if not key or any(letter.isspace() for letter in key):
        raise OptionError(str(path), "it does not hold one key and nothing else", "put the key on the only line")
    return as_header(str(path), key)
