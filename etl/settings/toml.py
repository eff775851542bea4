"""TOML files of the user's and of this package: regular files of UTF-8, a byte order mark allowed, and of bounded size."""

import math
import os
import stat
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

from etl.errors import OptionError

MOST_BYTES = 1 << 20
"""Of a file; one with every option in it has 5 kB."""


def read_toml(path: Path) -> dict[str, Any]:
    """
    Return the tables of the file at *path*.

    Raises:
        OptionError: It cannot be read, is too large or no regular file, is not UTF-8, or is no TOML.
    """
    try:
        content = _read(path)
    except OSError as error:
        raise OptionError(str(path), f"cannot be read ({error.strerror})", "check the path") from error
    try:
        return tomllib.loads(content.decode("utf-8-sig"), parse_float=partial(_finite, path))
    except UnicodeDecodeError as error:
        raise OptionError(
            str(path), f"is not in UTF-8 ({error.reason} at byte {error.start:,})", "save it as UTF-8"
        ) from error
    except OptionError:  # a ValueError, too
        raise
    except RecursionError as error:
        raise OptionError(str(path), "no valid TOML (nested too deeply)", "mend it there") from error
    except tomllib.TOMLDecodeError as error:
        raise OptionError(str(path), f"no valid TOML ({error})", "mend it there") from error
    except ValueError as error:
        raise OptionError(str(path), "a number has more digits than Python reads", "mend it there") from error


def _read(path: Path) -> bytes:
    with open(path, "rb", buffering=0, opener=_open_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OptionError(str(path), "is no regular file", "name a file of TOML")
        content = b""
        while len(content) <= MOST_BYTES and (block := file.read(MOST_BYTES + 1 - len(content))):
            content += block
    if len(content) > MOST_BYTES:
        raise OptionError(str(path), f"has more than {MOST_BYTES:,} bytes", "name a file of TOML with options alone")
    return content


def _finite(path: Path, text: str) -> float:
    """Return the number that *text* is; nothing has NaN or infinity as its value, or a number that is rounded to it."""
    number = float(text)
    if not math.isfinite(number):
        raise OptionError(str(path), f"{text} is no finite number", "mend it there")
    return number


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
