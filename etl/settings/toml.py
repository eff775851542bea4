"""TOML files of the user's and of this package."""

import tomllib
from pathlib import Path
from typing import Any

from etl.errors import OptionError


def read_toml(path: Path) -> dict[str, Any]:
    """
    Return the tables of the file at *path*.

    Raises:
        OptionError: It cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(str(path), f"cannot be read ({error.strerror})", "check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(str(path), f"no valid TOML ({error})", "mend it there") from error
