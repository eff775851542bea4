"""The tree of errors: it is as drawn, every class knows its exit code, and each travels between processes."""

import builtins
import inspect
import pickle
import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from saturi.etl import errors
from saturi.etl.errors import (
    ArchiveError,
    BuildError,
    BusyError,
    ClusterError,
    DiskFullError,
    EligibilityError,
    EmptyCorpusError,
    EtlError,
    ExhaustedError,
    ForeignFolderError,
    GoneError,
    InputError,
    JobFailedError,
    LockedError,
    MissingPathError,
    NoAnswerError,
    OptionError,
    PromiseError,
    ProviderError,
    RefusedError,
    SpendingError,
    StorageError,
    UnknownPriceError,
    UnreachableError,
    UnsupportedError,
    WorkerKilledError,
    WorkerStartError,
)

_THREE = ("가.zip", "is broken", "mend it")
_SENTENCE = "가.zip: is broken; mend it"
_SAMPLES: list[tuple[EtlError, int, type[Exception], str]] = [
    (OptionError(*_THREE), 2, ValueError, _SENTENCE),
    (InputError(*_THREE), 3, ValueError, _SENTENCE),
    (MissingPathError(*_THREE), 3, FileNotFoundError, _SENTENCE),
    (EmptyCorpusError(*_THREE), 3, ValueError, _SENTENCE),
    (ArchiveError(*_THREE), 3, ValueError, _SENTENCE),
    (BuildError(*_THREE), 3, ValueError, _SENTENCE),
    (PromiseError("chunks", "3 of 4"), 4, RuntimeError, "chunks: 3 of 4; nothing was published, please report this"),
    (WorkerStartError(), 4, RuntimeError, "workers: no process can start; put build() under `if __name__ == "),
    (StorageError(*_THREE), 5, OSError, _SENTENCE),
    (
        DiskFullError.of("가.zip", 2_000, 1_000),
        5,
        OSError,
        "가.zip: the disk is full: 2,000 bytes needed, 1,000 bytes free; ",
    ),
    (ExhaustedError.memory("ENOMEM"), 5, OSError, "memory: there is too little (ENOMEM); free some memory, "),
    (WorkerKilledError("reading 가.zip"), 5, OSError, "reading 가.zip: the process was killed again and again"),
    (ClusterError(*_THREE), 5, OSError, _SENTENCE),
    (LockedError(*_THREE), 5, OSError, _SENTENCE),
    (ForeignFolderError(*_THREE), 5, OSError, _SENTENCE),
    (ProviderError(*_THREE), 6, RuntimeError, _SENTENCE),
    (UnreachableError(*_THREE), 6, RuntimeError, _SENTENCE),
    (GoneError(*_THREE), 6, RuntimeError, _SENTENCE),
    (UnsupportedError(*_THREE), 6, RuntimeError, _SENTENCE),
    (BusyError(*_THREE, 3.0), 6, RuntimeError, _SENTENCE),
    (NoAnswerError(*_THREE), 6, RuntimeError, _SENTENCE),
    (JobFailedError(*_THREE), 6, RuntimeError, _SENTENCE),
    (EligibilityError(*_THREE), 7, PermissionError, _SENTENCE),
    (SpendingError(*_THREE), 7, PermissionError, _SENTENCE),
    (RefusedError(*_THREE), 7, PermissionError, _SENTENCE),
    (UnknownPriceError(*_THREE), 7, PermissionError, _SENTENCE),
]
_BY_CLASS = [pytest.param(*sample, id=type(sample[0]).__name__) for sample in _SAMPLES]
_DRAWN = re.compile(
    r"^    (?P<lines>[│├└─ ]*)(?P<name>\w+Error)(?: \((?P<builtin>\w+)\))?(?: +(?P<code>\d))?(?:  |$)", re.MULTILINE
)


def _classes() -> dict[str, type[EtlError]]:
    found = inspect.getmembers(errors, inspect.isclass)
    return {name: kind for name, kind in found if issubclass(kind, EtlError)}


def fail(number: int) -> None:
    """Raise a sample, in whatever process this runs."""
    raise _SAMPLES[number][0]


def test_the_tree_is_drawn_as_it_is() -> None:
    """The tree in the docstring has every class, under its parent, with its builtin and its exit code."""
    drawn = list(_DRAWN.finditer(errors.__doc__ or ""))
    assert {match["name"] for match in drawn} == set(_classes())
    path: list[str] = []
    for match in drawn:
        kind = _classes()[match["name"]]
        depth = len(match["lines"]) // 4
        path[depth:] = [match["name"]]
        if depth == 0:
            continue
        assert kind.__bases__[0] is _classes()[path[depth - 1]]
        own = kind.__bases__[1].__name__ if len(kind.__bases__) > 1 else None
        assert match["builtin"] == own
        assert own is None or hasattr(builtins, own)
        assert match["code"] == (str(kind.exit_code) if "exit_code" in vars(kind) else None)


def test_every_class_is_tried_here() -> None:
    """Each class of the tree but its root has a sample in this file."""
    assert {type(error) for error, *_ in _SAMPLES} == set(_classes().values()) - {EtlError}


@pytest.mark.parametrize(("error", "exit_code", "builtin", "sentence"), _BY_CLASS)
def test_errors_are_what_they_say(error: EtlError, exit_code: int, builtin: type[Exception], sentence: str) -> None:
    """An error has the exit code of its branch, is the builtin of its kind, and says where, what, and what to do."""
    assert error.exit_code == exit_code
    assert isinstance(error, builtin)
    assert str(error).startswith(sentence)
    assert re.fullmatch(r"[^:]+: .+; .+", str(error))


@pytest.mark.parametrize("error", [sample[0] for sample in _SAMPLES], ids=lambda error: type(error).__name__)
def test_errors_are_made_as_dask_makes_them(error: EtlError) -> None:
    """An error can be made without a call of its class."""
    assert type(type(error).__new__(type(error), *error.args)) is type(error)


@pytest.mark.parametrize(("error", "exit_code", "builtin", "sentence"), _BY_CLASS)
def test_errors_survive_pickling(error: EtlError, exit_code: int, builtin: type[Exception], sentence: str) -> None:
    """An error pickled and unpickled, also twice and in every protocol, is of the same class and says the same."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        copy = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(error, protocol)), protocol))  # noqa: S301 - our own
        assert type(copy) is type(error)
        assert str(copy) == str(error)
        assert str(copy).startswith(sentence)
        assert copy.exit_code == exit_code
        assert isinstance(copy, builtin)


def test_errors_come_out_of_a_worker_as_they_went_in() -> None:
    """An error raised in another process arrives with its class and its sentence, and the pool lives on."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for number, (error, *_) in enumerate(_SAMPLES):
            with pytest.raises(type(error)) as caught:
                pool.submit(fail, number).result()
            assert type(caught.value) is type(error)
            assert str(caught.value) == str(error)


def test_exit_codes_are_those_of_the_contract() -> None:
    """Branches have the codes others script against: 2 usage, 3 input, 4 a broken promise, 5 storage, 6 the provider, 7 refused."""
    branches = (EtlError, OptionError, InputError, PromiseError, StorageError, ProviderError, RefusedError)
    assert [kind.exit_code for kind in branches] == [1, 2, 3, 4, 5, 6, 7]
