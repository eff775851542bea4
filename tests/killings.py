"""Builds as process groups of their own, to be stopped, frozen and killed from outside."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from runs import command

POLL_SECONDS = 0.001
PATIENCE_SECONDS = 300.0
"""For what ends on a machine however busy; what hangs takes for ever."""

ATTEMPTS = 20
"""At what can only be seen while a process runs, and which a busy machine may let it be done with before."""


class Started(Protocol):
    """A process that was started, by whomever."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...


@contextmanager
def started(
    *arguments: str | Path, cwd: Path, hang_up: signal.Handlers = signal.SIG_DFL
) -> Iterator[subprocess.Popen[str]]:
    """
    Yield the command line with *arguments*, running in a process group of its own that does not outlive the block.

    *hang_up* is what SIGHUP does there at first: end it, or nothing as under nohup, whatever it does to the tests themselves.
    """
    process = subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        start_new_session=True,
        preexec_fn=partial(_let_signals_through, hang_up),  # noqa: PLW1509 - it takes no lock
    )
    with process:
        try:
            yield process
        finally:
            kill_group(process)


def _let_signals_through(hang_up: signal.Handlers) -> None:
    """Undo what a shell or nohup does to jobs in the background, and to all that they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, hang_up)


def kill_group(process: Started, number: int = signal.SIGKILL) -> None:
    """Send signal *number* to *process* and to all that it started, as far as they still run."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def killed_after(seconds: float, *arguments: str | Path, cwd: Path) -> bool:
    """Run the command line, kill it after *seconds*, and return whether it was still running then."""
    with started(*arguments, cwd=cwd) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            kill_group(process)
        return process.wait() != 0


def killed_when(condition: Callable[[], bool], *arguments: str | Path, cwd: Path) -> bool:
    """Run the command line, kill it as soon as *condition* holds, and return whether it was still running then."""
    with started(*arguments, cwd=cwd) as process:
        if not reached(process, condition):
            return False
        kill_group(process)
        return process.wait() != 0


def reached(process: subprocess.Popen[str], condition: Callable[[], bool]) -> bool:
    """Wait until *condition* holds, and return whether *process* still ran then."""
    while not condition():
        if process.poll() is not None:
            return False
        time.sleep(POLL_SECONDS)
    return process.poll() is None


def wait_until(process: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    """Wait until *condition* holds, which it must at the latest when *process* has ended."""
    assert reached(process, condition) or condition(), f"ended before: {process.communicate()}"


def wait_for(holds: Callable[[], bool]) -> None:
    """Wait until something *holds*, however busy the machine."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(10 * POLL_SECONDS)


def workers_of(process: Started) -> list[int]:
    """Return the worker processes of a build, however they were started."""
    below = [process.pid]
    for pid in below:
        below += _children(pid)
    return [pid for pid in below[1:] if not _children(pid) and b"resource_tracker" not in _read(f"/proc/{pid}/cmdline")]


def catches_signals(process: subprocess.Popen[str]) -> bool:
    """Whether the command has come as far as to answer SIGTERM itself, as its first lines of Python make it."""
    caught = re.search(rb"^SigCgt:\s+([0-9a-f]+)$", _read(f"/proc/{process.pid}/status"), flags=re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


def processes_of(session: int) -> list[str]:
    """Return the command lines of all processes in *session*, those that are over but not yet buried left out."""
    lines = []
    for folder in Path("/proc").glob("[0-9]*"):
        fields = _read(f"{folder}/stat").rpartition(b")")[2].split()
        if len(fields) > 3 and fields[0] not in (b"Z", b"X") and int(fields[3]) == session:
            lines.append(_read(f"{folder}/cmdline").replace(b"\0", b" ").decode(errors="replace"))
    return lines


def has_ended(pid: int) -> bool:
    """Whether a process is over, buried or not."""
    state = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[:1]
    return state in ([], [b"Z"], [b"X"])


def _children(pid: int) -> list[int]:
    return [int(child) for child in _read(f"/proc/{pid}/task/{pid}/children").split()]


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return b""
