"""Tasks for workers, some of which kill the worker that runs them."""

import os
import signal
import time
from pathlib import Path


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
