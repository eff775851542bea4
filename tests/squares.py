"""Tasks for workers, some of which kill the worker that runs them, and a parent of workers that is to be killed."""

import os
import signal
import sys
import time
from pathlib import Path

from saturi.etl.runtime.processes import process_pool

if sys.platform != "win32":
    import fcntl

    def hold_lock(path: str) -> None:
        """Lock the file at *path* for as long as this process lives, which is longer than any test."""
        with Path(path).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            Path(path + ".held").touch()
            time.sleep(600)

    def be_a_parent(method: str, folder: str) -> None:
        """Keep two workers busy until killed."""
        with process_pool(2, method) as pool:
            list(pool.map(hold_lock, [f"{folder}/0", f"{folder}/1"]))


def square(number: int) -> int:
    return number * number


def square_and_die_once(task: tuple[int, str]) -> int:
    """Square a number; the process that does so for the first time, where a marker is named, is killed."""
    number, marker = task
    if marker and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def square_and_die(number: int) -> int:
    """Square a number, except for the ones that kill."""
    if number in (3, 11):
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return number * number
