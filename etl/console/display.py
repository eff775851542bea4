"""Display: how much a command shows, in which form, and the log that is kept of it, by the options that every command has."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal

from saturi.etl.errors import StorageError

Progress = Literal["auto", "plain", "none"]


class Display:
    """
    What this process shows.

    Its attributes, each the option of its name:

    Args:
        quiet: Nothing but failures, errors, and what `--json` prints.
        verbose: Also the time of each step, and the traceback of an error.
        progress: `auto` is bars on a terminal and lines elsewhere, `plain` is lines, `none` is no progress.
    """

    def __init__(self) -> None:
        self.quiet = self.verbose = False
        self.progress: Progress = "auto"
        self._log: IO[str] | None = None

    def open_log(self, path: Path | None) -> None:
        """
        Append every line for stderr to the file at *path* from here on, or to none.

        Raises:
            StorageError: It cannot be written.
        """
        self._log = None
        if path is None:
            return
        try:
            self._log = path.open("a", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            problem = f"cannot be written ({error.strerror or error})"
            raise StorageError(path, problem, "give another --log-file") from error

    def log(self, line: str) -> None:
        """Write *line* to the log, if there is one, with the time; a log that takes no more is left as it is."""
        if self._log is not None:
            with suppress(OSError, ValueError):
                self._log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {line}\n")
                self._log.flush()


display = Display()
"""That of this process."""


def has_colours(stream: IO[str]) -> bool:
    """Return whether *stream* is a terminal with colours that are wanted."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in ("dumb", "unknown")


def terminal_columns(stream: IO[str]) -> int:
    """Return the columns of the terminal that *stream* is; 0 where it is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except (OSError, ValueError):
        return 0
