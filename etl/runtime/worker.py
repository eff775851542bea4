"""
A worker, in a pool of processes or in a cluster: how it is prepared, and how one of a cluster takes a call.

A cluster's engine logs and keeps what a task raises, with its arguments. So calls and answers are bytes here, and an error is
an answer like any other. A call is a pickle that makes it where it is loaded: a worker that cannot import what it is handed
ends (distributed 2026.8), and every worker has `pickle.loads`.
"""

import gc
import os
import pickle
import platform
import socket
import threading
import traceback
import zlib
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from saturi.etl.errors import EtlError, OptionError, PromiseError
from saturi.etl.storage.location import is_url
from saturi.etl.version import __version__

_GC_THRESHOLD = 100_000
"""Rows of a batch, and what Polars imports, are many small objects without cycles; looking through them at the default of 700
costs 3 % of reading, and 8 % of a worker's start."""

_LIBRARIES = ("polars", "msgspec", "isal", "bpe-openai", "distributed")
"""Libraries that decide bytes, or carry tasks."""

_ABSENT = "none"

_one_at_a_time = threading.Lock()
"""A worker is promised the memory of one task, however many threads the engine gives it."""


class WorkerFacts(NamedTuple):
    """Versions of a worker, by name, and the threads that Polars has in it."""

    versions: dict[str, str]
    polars_threads: int


@cache
def load_polars() -> None:
    """Load Polars with one thread, where nobody has loaded it before, and keep the collector of garbage from looking through it."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    gc.set_threshold(_GC_THRESHOLD)
    import_module("polars")
    gc.freeze()


@cache
def own_versions() -> dict[str, str]:
    """Return the versions of this process that have to be the same in all, by name."""
    libraries = {name: _version(name) for name in _LIBRARIES}
    return {"saturi": __version__, "Python": platform.python_version(), **libraries}


def _version(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - 15 ms, which a process of a pool need not spend

    try:
        return version(name)
    except PackageNotFoundError:
        return _ABSENT


def refuse_other_versions(who: str, theirs: dict[str, str], ours: dict[str, str]) -> None:
    """
    Return if the versions of the worker *who* are *ours*, those of the machine that submits.

    Raises:
        OptionError: They differ.
    """
    other = [f"{name} {theirs.get(name, _ABSENT)}" for name in ours if theirs.get(name, _ABSENT) != ours[name]]
    if other:
        expected = ", ".join(f"{name} {ours[name]}" for name in ours if theirs.get(name, _ABSENT) != ours[name])
        raise OptionError("--scheduler", f"{who} has {', '.join(other)}", f"install {expected} there, as here")


@lru_cache(maxsize=1)  # a worker of a cluster lives for many builds, one after the other
def refuse_unseen(shared: tuple[str, ...]) -> None:
    """
    Return if this worker, perhaps on another machine, sees what it has to have in common with the one that submits.

    Args:
        shared: Files and folders that are there, and URLs.

    Raises:
        OptionError: One is not there, or object storage cannot be asked.
    """
    for place in shared:
        who = f"a worker on {socket.gethostname()}"
        if is_url(place) and find_spec("obstore") is None:
            raise OptionError("--scheduler", f"{who} lacks the package obstore", "install there what is installed here")
        if not is_url(place) and not os.path.lexists(place):
            advice = "give folders that all machines have in common by the same names, or object storage"
            raise OptionError("--scheduler", f"{who} does not see {place}", advice)


def worker_facts() -> WorkerFacts:
    """Prepare the worker that this runs in, and return its facts."""
    load_polars()
    return WorkerFacts(own_versions(), import_module("polars").thread_pool_size())


class _Call(NamedTuple):
    """The arguments of `_answer`, which is called where this is unpickled."""

    versions: dict[str, str]
    call: bytes

    def __reduce__(self) -> tuple[Any, tuple[dict[str, str], bytes]]:
        return _answer, (self.versions, self.call)


def packed_call(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    """Return a call of *function*, a function of a module; `pickle.loads` makes it, and returns what `unpacked_answer` opens."""
    call = zlib.compress(pickle.dumps((function, args, kwargs)), 1)  # no log shows what is in it
    return pickle.dumps(_Call(own_versions(), call))


def _answer(versions: dict[str, str], call: bytes) -> bytes:
    """
    Return the answer to *call*, in a worker of a cluster, one call at a time in a process.

    Args:
        versions: Those of the process that submits; a worker may have joined after they were compared.
        call: A function, its arguments and its keyword arguments.
    """
    with _one_at_a_time:
        try:
            load_polars()
            refuse_other_versions(f"a worker on {socket.gethostname()}", own_versions(), versions)
            function, args, kwargs = pickle.loads(zlib.decompress(call))
            return pickle.dumps((function(*args, **kwargs), None))
        except Exception as error:  # noqa: BLE001 - whatever a call raises is raised where it was submitted
            return _packed_error(error)


def _packed_error(error: Exception) -> bytes:
    """Return an answer that raises *error*, with its traceback where nobody foresaw it."""
    if not isinstance(error, EtlError):
        error.add_note("".join(traceback.format_tb(error.__traceback__)))
    try:
        packed = pickle.dumps((None, error))
        pickle.loads(packed)
    except Exception:  # noqa: BLE001 - pickling runs code of the error's class
        return pickle.dumps((None, PromiseError("a worker", f"{type(error).__name__}, which cannot be sent")))
    return packed


def unpacked_answer(packed: bytes) -> Any:
    """Return what a call returned, or raise what it raised."""
    value, error = pickle.loads(packed)
    if error is not None:
        raise error
    return value
