"""
The process that parts of Dask clusters are forked from, with Dask loaded, which takes each of them a second otherwise.

It reads orders from its input, a line of JSON each, and prints the process id of the part that it has started.
"""

import json
import multiprocessing
import os
import sys
from typing import Any, NoReturn

import dask
import distributed.utils
from distributed.cli import dask_scheduler, dask_worker

_COMMANDS = {"scheduler": dask_scheduler.main, "worker": dask_worker.main}


def main() -> None:
    """Start what is asked for, until nobody asks any more."""
    # A nanny, which would load pandas, and let the server that its workers are forked from load it, too, for its version alone.
    distributed.utils._forkserver_preload_set = True
    multiprocessing.set_forkserver_preload(["distributed"])
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(**json.loads(line))
        print(pid, flush=True)  # noqa: T201 - to whoever gave the order


def _become(part: str, arguments: list[str], folder: str, log: str, environment: dict[str, str]) -> NoReturn:
    """Be a part of a cluster in a process group of its own, as if it had been started from *folder* with that *environment*."""
    os.setsid()
    os.chdir(folder)
    for number, opened in enumerate((os.open(os.devnull, os.O_RDONLY), *[os.open(log, os.O_WRONLY | os.O_CREAT)] * 2)):
        os.dup2(opened, number)
    os.environ.clear()
    os.environ.update(environment)
    dask.config.refresh()
    command: Any = _COMMANDS[part]
    command(arguments)
    sys.exit()


if __name__ == "__main__":
    main()
