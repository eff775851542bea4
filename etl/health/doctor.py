"""The findings on this installation and machine: packages, settings, disk, memory, inflating, terminal."""

import os
import random
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from saturi.etl.corpus.archive import INFLATER, decompress
from saturi.etl.errors import OptionError
from saturi.etl.formats.tables import OTHERS
from saturi.etl.health.extras import extras
from saturi.etl.health.limits import memory_limits, open_files
from saturi.etl.health.versions import commit, versions
from saturi.etl.providers.profiles import read_providers
from saturi.etl.runtime.processes import default_workers
from saturi.etl.settings.config import DEFAULT_NAME, read_config
from saturi.etl.settings.keys import as_header
from saturi.etl.settings.paths import path_of
from saturi.schemas.health import Finding, Health, State

_PACKAGES = ("polars", "msgspec", "rich", "click", "bpe-openai", "filelock", "openai", "httpx2")
"""Libraries that this package cannot do without, whatever the system."""

_PARENT_BYTES, _WORKER_BYTES = 400 << 20, 256 << 20
"""The most memory of the parent of a build, and of each worker (CONTRIBUTING, "What must hold")."""

_LEAST_DISK_BYTES, _USUAL_DISK_BYTES = 100_000_000, 5_000_000_000
"""Space for a sample, and for a build of the whole corpus with its segments (2 kB a label file, and its chunks)."""

_LEAST_FILES = 256
_NARROW = 60
_AIHUB_KEY = "AIHUB_APIKEY"
_ROUNDS = 16
_WORDS, _TEXT_WORDS = 2_000, 50_000
_GB = 1e9


def doctor(folder: str | Path = ".") -> Health:
    """
    Return the health of this installation and this machine; nothing stays changed.

    Args:
        folder: Where builds will be written; the nearest folder above it that is there is tried.

    Raises:
        OptionError: *folder* is no path.
    """
    findings = [
        *_packages(),
        *_settings(),
        *_disk(path_of(folder, "FOLDER")),
        *_memory(),
        *_files(),
        *_inflate(),
        *_terminal(),
        *_keys(),
    ]
    keys = {name: bool(os.environ.get(name)) for name in _key_names()}
    return Health(versions=versions(), commit=commit(), findings=findings, extras=extras(), keys=keys)


def _finding(subject: str, fact: str, state: State = "ok", advice: str | None = None) -> Finding:
    return Finding(subject=subject, state=state, fact=fact, advice=advice)


def _packages() -> Iterator[Finding]:
    missing = [name for name in _PACKAGES if not _is_installed(name)]
    if missing:
        yield _finding("packages", f"missing: {', '.join(missing)}", "problem", "install saturi again")
    else:
        yield _finding("packages", f"all {len(_PACKAGES)} are installed")


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def _settings() -> Iterator[Finding]:
    path = Path(DEFAULT_NAME)
    if not path.exists():
        yield _finding("settings", f"no {DEFAULT_NAME} here: the defaults hold")
        return
    try:
        read_config(path, OTHERS)
    except OptionError as error:
        where, problem, advice = error.args
        yield _finding("settings", f"{where}: {problem}", "problem", advice)
    else:
        yield _finding("settings", f"{DEFAULT_NAME} is valid")


def _disk(folder: Path) -> Iterator[Finding]:
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
    lack = "is no folder" if folder.exists() else "does not exist"
    beside = "" if there == folder.absolute() else f", looked at since {folder} {lack}"
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
        free = shutil.disk_usage(there).free
    except OSError as error:
        problem = f"{there}: nothing can be written there ({error.strerror or error})"
        yield _finding("disk", problem, "problem", "give a folder of your own")
        return
    fact = f"{free / _GB:,.1f} GB free in {there}{beside}"
    if free < _LEAST_DISK_BYTES:
        yield _finding("disk", fact, "problem", "free some space, or give another folder")
    elif free < _USUAL_DISK_BYTES:
        advice = (
            f"the whole corpus takes up to {_USUAL_DISK_BYTES / _GB:.0f} GB beside its archives: give another folder"
        )
        yield _finding("disk", fact, "note", advice)
    else:
        yield _finding("disk", fact)


def _memory() -> Iterator[Finding]:
    limits, workers = memory_limits(), default_workers()
    if not limits:
        yield _finding("memory", "this system does not say how much there is")
        return
    name, least = min(limits.items(), key=lambda limit: limit[1])
    fits = (least - _PARENT_BYTES) // _WORKER_BYTES
    fact = f"{least / _GB:,.1f} GB by {name}, for {workers} workers ({', '.join(_shown(limits))})"
    if fits < 1:
        advice = f"a build takes up to {(_PARENT_BYTES + _WORKER_BYTES) / _GB:.1f} GB: raise the limit, or end programs"
        yield _finding("memory", fact, "problem", advice)
    elif fits < workers:
        yield _finding("memory", fact, "note", f"give --workers {fits}")
    else:
        yield _finding("memory", fact)


def _shown(limits: dict[str, int]) -> Iterator[str]:
    for name, size in limits.items():
        yield f"{name} {size / _GB:,.1f} GB"


def _files() -> Iterator[Finding]:
    most = open_files()
    fact = "not limited" if most is None else f"{most:,} at once"
    if most is not None and most < _LEAST_FILES:
        yield _finding("open files", fact, "note", f"raise it: ulimit -n {_LEAST_FILES}")
    else:
        yield _finding("open files", fact)


def _inflate() -> Iterator[Finding]:
    packed = zlib.compress(_invented_text().encode())
    speed = max(map(_megabytes_per_second, [packed] * _ROUNDS))  # the best: others use the machine, too
    fact = f"{INFLATER}, {speed:,.0f} MB/s on one processor"
    if INFLATER == "zlib":
        yield _finding("inflate", fact, "note", "pip install isal reads archives twice as fast, where it has a wheel")
    else:
        yield _finding("inflate", fact)


def _megabytes_per_second(packed: bytes) -> float:
    began = time.perf_counter()
    size = len(decompress(packed))
    return size / (time.perf_counter() - began) / 1e6


def _invented_text() -> str:
    """Return text that packs about as well as label files, to a fourth."""
    chance = random.Random(0)  # noqa: S311 - no secret
    words = ["".join(chr(chance.randrange(0xAC00, 0xD7A4)) for _ in range(3)) for _ in range(_WORDS)]
    return " ".join(chance.choices(words, k=_TEXT_WORDS))


def _terminal() -> Iterator[Finding]:
    encoding = getattr(sys.stdout, "encoding", None) or "none"
    if not sys.stdout.isatty():
        yield _finding("terminal", f"stdout is none; encoding {encoding}")
        return
    width = shutil.get_terminal_size().columns
    fact = f"{width} columns, encoding {encoding}, TERM={os.environ.get('TERM', '')}"
    try:
        "₩─▁".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        advice = "signs that it lacks have others in their place; set it to UTF-8 (PYTHONUTF8=1) to see all"
        yield _finding("terminal", fact, "note", advice)
        return
    if width < _NARROW:
        yield _finding("terminal", fact, "note", f"tables need {_NARROW} columns")
    else:
        yield _finding("terminal", fact)


def _key_names() -> list[str]:
    return [_AIHUB_KEY, *dict.fromkeys(provider.key_env for provider in read_providers().values())]


def _keys() -> Iterator[Finding]:
    """Yield what keys there are; one that cannot be sent is no key."""
    present = [name for name in _key_names() if os.environ.get(name)]
    for name in present:
        try:
            as_header(name, os.environ[name])
        except OptionError as error:
            _, problem, advice = error.args
            yield _finding("keys", f"{name}: {problem}", "note", advice)
    yield _finding("keys", f"set: {', '.join(present)}" if present else "none is set, and none is needed to build")
