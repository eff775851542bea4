"""Scripts in processes that are forked (`forks`): as if somebody had started them, with what takes most of that loaded already."""

import gc
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from killings import PATIENCE_SECONDS
from runs import ROOT

COMMAND_LINE = ROOT / "cli.py"

_FLAGS = (os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT)
"""By which input, output and errors are opened."""


class Script(NamedTuple):
    """
    One run of a script.

    Args:
        path: The script.
        arguments: What stands behind it.
        cwd: The folder that it runs in.
        environment: All variables of it.
        streams: Files of its input, its output and its errors.
    """

    path: Path
    arguments: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str]
    streams: tuple[str, str, str]


def start(script: Script) -> BaseProcess:
    """Start *script* in a process group of its own."""
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    process: BaseProcess = multiprocessing.get_context(method).Process(target=_become, args=(script,))  # type: ignore[attr-defined]  # of every method
    process.start()
    return process


def run(
    path: Path,
    *arguments: str | Path,
    cwd: Path,
    stdout: Path | None = None,
    started: Callable[[BaseProcess], object] = bool,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """
    Run a script to its end, and return how it went.

    Args:
        path: The script.
        arguments: What stands behind it.
        cwd: The folder that it runs in.
        stdout: A file that its output goes to, of which nothing is returned then.
        started: Called with the process as soon as it is there.
        environment: Variables, beside those of this process.
    """
    with TemporaryDirectory() as folder:
        output, errors = (Path(folder, name) for name in ("stdout", "stderr"))
        streams = (os.devnull, str(stdout or output), str(errors))
        given = Script(path, tuple(map(str, arguments)), cwd, {**os.environ, **(environment or {})}, streams)
        process = start(given)
        started(process)
        process.join(PATIENCE_SECONDS)
        if process.exitcode is None:
            process.kill()
        assert process.exitcode is not None, "it hangs"
        shown = output.read_text(encoding="utf-8") if stdout is None else ""
        return subprocess.CompletedProcess(
            [str(path), *given.arguments], process.exitcode, shown, errors.read_text(encoding="utf-8")
        )


def _become(script: Script) -> None:
    """Be *script*, as Python is when somebody starts it with it."""
    gc.freeze()  # what was loaded is not its own
    os.setsid()  # a process group of its own, and no terminal but the one that it is given
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.chdir(script.cwd)
    os.environ.clear()
    os.environ.update(script.environment)
    for number, (path, flags) in enumerate(zip(script.streams, _FLAGS, strict=True)):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - until it ends
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    sys.stderr = open(  # noqa: SIM115 - as above
        2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1
    )
    vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)  # which keep them open
    sys.argv = [str(script.path), *script.arguments]
    runpy.run_path(str(script.path), run_name="__main__")
