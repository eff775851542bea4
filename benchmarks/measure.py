"""Run a command as a process of its own, and measure it with everything it starts: wall time, and memory by process."""

import subprocess
import threading
import time
from collections.abc import Sequence

import psutil
from msgspec import Struct

_SAMPLE_SECONDS = 0.02


class Run(Struct, frozen=True):
    """One run: seconds by the clock, and the most memory (resident set) of the process itself and of any one below it, in bytes."""

    seconds: float
    parent_peak_bytes: int
    child_peak_bytes: int


def measure(command: Sequence[str]) -> Run:
    """
    Return how *command* went.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peaks = [0, 0]
    sampler = threading.Thread(target=_sample, args=(process, peaks))
    sampler.start()
    code = process.wait()
    seconds = time.perf_counter() - began
    sampler.join()
    if code != 0:
        raise subprocess.CalledProcessError(code, command)
    return Run(seconds, *peaks)


def _sample(process: "subprocess.Popen[bytes]", peaks: list[int]) -> None:
    try:
        parent = psutil.Process(process.pid)
        while process.poll() is None:
            peaks[0] = max(peaks[0], parent.memory_info().rss)
            peaks[1] = max([peaks[1], *(_rss(child) for child in parent.children(recursive=True))])
            time.sleep(_SAMPLE_SECONDS)
    except psutil.NoSuchProcess:
        pass  # it ended between two looks


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
