"""
Interrupts: Ctrl-C, SIGTERM or SIGHUP, once or often, end a command within two seconds, with 128 and the signal's number.

The first signal raises `Interrupted` in the main thread; all later ones are ignored, so that none lands in the middle of what
ends the command. A thread that nothing can hold up ends the process where that takes too long: workers die with it.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LATEST_SECONDS = 1.6
"""From the signal to the end of the process, whatever it is doing."""

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_farewell: list[str] = []


class Interrupted(KeyboardInterrupt):
    """
    A signal asks the command to end.

    Args:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


_received: list[Interrupted] = []


def end_on_signals() -> None:
    """
    End this process soon after the first signal, however many come.

    A signal that is ignored already stays so, as under `nohup` and for jobs in the background of a script. To be called in the
    main thread, once.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    threading.Thread(target=_end_late, args=(reader,), daemon=True).start()
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def ignore_signals() -> None:
    """Let the process end with the exit code it has, whatever signal comes now."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def interrupt_reading() -> None:
    """
    Let signals interrupt what waits for input, after libraries were loaded.

    Polars puts a handler with SA_RESTART around that of Ctrl-C (measured with 2.1.0), so that reading goes on after it, and no
    handler in Python runs until a line was typed.
    """
    if hasattr(signal, "siginterrupt"):
        for number in _SIGNALS:
            signal.siginterrupt(number, True)  # noqa: FBT003 - takes no keywords


def _interrupt(number: int, _: FrameType | None) -> None:
    ignore_signals()
    sys.unraisablehook = _say_nothing  # raised while an object is deleted, it would be printed and not passed on
    _received.append(Interrupted(number))
    raise _received[0]


def interrupt_received() -> Interrupted | None:
    """Return the interrupt that was raised in this process, which a library may have made another error of; None without one."""
    return _received[0] if _received else None


def _say_nothing(_: "sys.UnraisableHookArgs") -> None:
    """Say nothing of what goes wrong while the process ends."""


def _end_late(reader: int) -> None:
    """Wait for a signal, and then for the process to end; end it where it does not."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # they are for the main thread, whose waiting they end
    [number] = os.read(reader, 1)
    time.sleep(LATEST_SECONDS)
    say_farewell()
    os._exit(128 + number)


def set_farewell(sentence: str) -> None:
    """Let *sentence* be the last one of this command, should it be interrupted from here on."""
    _farewell[:] = [sentence]


@contextmanager
def farewell_meanwhile(sentence: str) -> Iterator[None]:
    """Let *sentence* be the last one should the command be interrupted within, and what it was before afterwards."""
    before = _farewell[:]
    _farewell[:] = [sentence]
    yield  # an interrupt leaves it as it is
    _farewell[:] = before


def say_farewell() -> None:
    """Write the last sentence of an interrupted command to stderr, once, if it has one."""
    while _farewell:
        line = _farewell.pop().encode() + b"\n"
        try:
            os.write(2, line)
        except OSError:  # closed, or full: the exit code says enough
            return


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """
    Let the signals that end a command wait until the block is left.

    Half a started process would not be known to whoever has to end it. Processes started within get no Ctrl-C and no hang-up of
    their own, from their first moment on.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread is interrupted
        yield
        return
    early: list[int] = []
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    handled = [number for number, handler in before.items() if callable(handler)]
    for number in handled:
        signal.signal(number, lambda number, _: early.append(number))
    try:
        with _blocked_in_children():
            yield
    finally:
        for number in handled:
            signal.signal(number, before[number])
        if early:
            signal.raise_signal(early[0])


@contextmanager
def _blocked_in_children() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):  # Windows: workers begin to ignore Ctrl-C when they are ready
        yield
        return
    from multiprocessing import resource_tracker  # noqa: PLC0415 - 20 ms, which commands without workers need not wait

    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    resource_tracker.ensure_running()  # it lets Ctrl-C through when it starts, so it starts before that is blocked
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
