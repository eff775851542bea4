"""Measurement of a command as a process, with all processes it starts: wall time, CPU, memory."""

import os
import resource
import subprocess
import threading
import time
from collections.abc import Sequence

import psutil
from msgspec import Struct

_SAMPLE_SECONDS = 0.1
"""Every 20 ms would take a sixth of a processor, of which a contender with as many processes as the machine has gets less."""


class Run(Struct, frozen=True):
    """
    One run: seconds by the clock, CPU seconds of the whole process tree, and its peak memory in bytes.

    Memory is the sum of the resident sets of all processes, sampled every 0.1 s; shared pages count twice.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def measure(command: Sequence[str]) -> Run:
    """
    Run *command* and return its measurement; no other process may be started meanwhile.

    Raises:
        subprocess.CalledProcessError: The command failed.
    """
    cpu_before = _children_cpu_seconds()
    began = time.perf_counter()
    # An installed package is compiled once, and not in every process.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = [0]
    sampler = threading.Thread(target=_sample, args=(process.pid, peak), daemon=True)
    sampler.start()
    _, complaint = process.communicate()
    seconds = time.perf_counter() - began
    sampler.join()
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=complaint)
    return Run(seconds, _children_cpu_seconds() - cpu_before, peak[0])


def _children_cpu_seconds() -> float:
    """Return the CPU seconds of all descendants that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _sample(pid: int, peak: list[int]) -> None:
    try:
        parent = psutil.Process(pid)
        while parent.is_running() and parent.status() != psutil.STATUS_ZOMBIE:
            peak[0] = max(peak[0], sum(_rss(one) for one in (parent, *parent.children(recursive=True))))
            time.sleep(_SAMPLE_SECONDS)
    except psutil.NoSuchProcess:
        pass  # it ended between two samples


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
