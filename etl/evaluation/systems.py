"""Systems: what answers the rows. Copying always; models at an endpoint, named or of the ledger; files of predictions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from etl.errors import InputError
from etl.evaluation.options import COPY, EvaluateOptions
from etl.network.http import stays_here
from etl.output.lines import read_blocks, whole_lines
from etl.providers.account import Account, open_account
from etl.providers.models import base_name
from etl.providers.profiles import DEFAULT_PROVIDER, find_provider, read_providers
from etl.submission.ledger import LEDGER, read_ledger
from schemas.evaluation import ChatRequest, Prediction, SystemKind, SystemRole, TestRow
from schemas.ledger import AccountRow, JobRow

ROOM_TOKENS = 64
"""What an answer may be longer than its source: a base model shall get as far as being wrong."""


class System(Struct, frozen=True, kw_only=True):
    """What answers the rows; *account* is where a model is asked, *file* where predictions lie."""

    name: str
    kind: SystemKind
    role: SystemRole
    account: Account | None = None
    file: Path | None = None


class _Known(NamedTuple):
    """Models of a ledger: accounts by the name of a model, and the names of those that are no tunes."""

    accounts: dict[str, AccountRow]
    bases: frozenset[str]


def systems_of(out: Path | None, options: EvaluateOptions) -> list[System]:
    """
    Return the systems that *options* name: copying first, the base model, the other models, the files.

    Args:
        out: Folder of the build, whose ledger knows models and where they are; None for none.
        options: Of the evaluation.

    Raises:
        OptionError: A profile is unknown, or there is no address.
        BuildError: The ledger is damaged.
    """
    known = _Known({}, frozenset()) if out is None else _read_ledger(out)
    names = options.model or tuple(known.accounts)
    bases = _bases_of(names, options.base_model, known.bases)
    accounts = {name: _account(known.accounts.get(name), options) for name in names}
    ordered = sorted(names, key=lambda name: name not in bases)
    models = [
        System(name=name, kind="model", role="base" if name in bases else "candidate", account=accounts[name])
        for name in ordered
    ]
    files = [
        System(name=name, kind="predictions", role="candidate", file=path)
        for name, path in options.prediction_files.items()
    ]
    return [System(name=COPY, kind="copy", role="copy"), *models, *files]


def base_of(systems: Sequence[System]) -> str | None:
    """Return the name of the base model, if there is one; of several, the first."""
    return next((system.name for system in systems if system.role == "base"), None)


def is_local(system: System) -> bool:
    """Return whether what *system* is asked stays on this machine."""
    return system.account is None or stays_here(system.account.base_url)


def request_of(row: TestRow, model: str, seed: int) -> ChatRequest:
    """Return what *model* is asked for *row*: no tokenizer makes more tokens of a text than it has bytes."""
    most = ROOM_TOKENS + len(row.source.encode())
    return ChatRequest(model=model, messages=row.messages, max_tokens=most, seed=seed)


def read_predictions(path: Path) -> dict[str, str]:
    """
    Return the predictions in the file at *path*, by the key of their row.

    Raises:
        InputError: It cannot be read, a line is no prediction, or two are of one row.
    """
    predictions: dict[str, str] = {}
    number = 0
    for block in whole_lines(read_blocks(path)):
        for line in block.content.split(b"\n"):
            number += 1
            where = f"{path}, line {number}"
            try:
                found = msgspec.json.decode(line, type=Prediction)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                problem, advice = (
                    f"no prediction ({error})",
                    'write {"key":"…","prediction":"…"}, keys as in rows.jsonl',
                )
                raise InputError(where, problem, advice) from error
            if found.key in predictions:
                raise InputError(where, f"{found.key!r} is there twice", "write one prediction a row")
            predictions[found.key] = found.prediction
    return predictions


def missing_prediction(system: System, key: str, predictions: Mapping[str, str]) -> InputError:
    """Return the error of a row that *predictions* lack."""
    problem = f"no prediction for {key!r} (it has {len(predictions):,} others)"
    return InputError(str(system.file), problem, "predict every row of rows.jsonl, by its key")


def _bases_of(names: tuple[str, ...], given: str | None, known: frozenset[str]) -> frozenset[str]:
    """Return which of *names* the others are held against: the one given, those of the ledger, or what a tune's name names."""
    if given is not None:
        return frozenset({given})
    named = {base_name(name) for name in names if base_name(name) != name}
    return (known & frozenset(names)) or frozenset(name for name in names if name in named)


def _account(row: AccountRow | None, options: EvaluateOptions) -> Account:
    """Return where a model is asked: at the account of the ledger's *row*, unless options name another."""
    elsewhere = options.provider is not None or options.base_url is not None
    profiles = read_providers(options.providers)
    if row is None or elsewhere:
        provider = find_provider(options.provider or DEFAULT_PROVIDER, profiles)
        return open_account(provider, options.base_url, options.key_file)
    return Account(
        provider=find_provider(row.provider, profiles),
        base_url=row.base_url,
        organization=row.organization,
        project=row.project,
        key_file=options.key_file,
    )


def _read_ledger(out: Path) -> _Known:
    """Return the models that were tuned from *out*, each after what it was tuned from."""
    if not (out / LEDGER).exists():
        return _Known({}, frozenset())
    with read_ledger(out) as ledger:
        accounts = {row.id: row for row in ledger.accounts()}
        jobs = [job for job in ledger.jobs() if job.fine_tuned_model is not None]
    tunes = {job.fine_tuned_model for job in jobs}
    found: dict[str, AccountRow] = {}
    for name, job in _models_of(jobs):
        found.setdefault(name, accounts[job.account])
    return _Known(found, frozenset(name for name in found if name not in tunes))


def _models_of(jobs: list[JobRow]) -> list[tuple[str, JobRow]]:
    return [(name, job) for job in jobs for name in (job.model, job.fine_tuned_model) if name is not None]
