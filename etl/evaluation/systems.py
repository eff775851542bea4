"""Systems: what answers the rows. Copying always; models at an endpoint, named or of the ledger; files of predictions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from saturi.etl.errors import BuildError, InputError
from saturi.etl.evaluation.options import COPY, EvaluateOptions
from saturi.etl.network.http import stays_here
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.lines import BOM, read_blocks, whole_lines
from saturi.etl.providers.account import Account, open_account
from saturi.etl.providers.models import base_name
from saturi.etl.providers.profiles import DEFAULT_PROVIDER, find_provider, read_providers
from saturi.etl.submission.ledger import read_ledger
from saturi.etl.submission.plan import build_hash
from saturi.schemas.evaluation import ChatRequest, Prediction, SystemKind, SystemRole, TestRow
from saturi.schemas.ledger import AccountRow, JobRow

ROOM_TOKENS = 64
"""What an answer may be longer than its source: a base model shall get as far as being wrong."""


class System(Struct, frozen=True, kw_only=True):
    """What answers the rows; *base* is the model it is held against, *account* where it is asked, *file* its predictions."""

    name: str
    kind: SystemKind
    role: SystemRole
    base: str | None = None
    account: Account | None = None
    file: Path | None = None


class Lineup(NamedTuple):
    """The systems of an evaluation, and what to know of those that are not among them."""

    systems: list[System]
    notes: tuple[str, ...]


class _Known(NamedTuple):
    """
    Models of a ledger.

    Args:
        accounts: Where each is asked, by its name; base models before their tunes.
        tuned_from: The base model of each tune, that of the first for a tune of a tune.
        elsewhere: The tunes that learnt from another build than the one that is there now.
    """

    accounts: dict[str, AccountRow]
    tuned_from: dict[str, str]
    elsewhere: frozenset[str]


def systems_of(build: FinishedBuild | None, ledger: Path | None, options: EvaluateOptions) -> Lineup:
    """
    Return the systems that *options* name: copying first, the base models, the other models, the files.

    A tune that learnt from another build is no system: rows may be in what it learnt from, which is not there any more.

    Args:
        build: The build; None for none.
        ledger: File of its ledger, which knows models and where they are.
        options: Of the evaluation.

    Raises:
        OptionError: A profile is unknown, or there is no address.
        BuildError: The ledger is damaged; or a model that is named, or every tune of the ledger, is of another build.
    """
    known = _Known({}, {}, frozenset()) if build is None or ledger is None else _read_ledger(build, ledger)
    refused = [name for name in options.model if name in known.elsewhere]
    tunes = known.tuned_from.keys()
    if build is not None and (refused or (not options.model and tunes and tunes <= known.elsewhere)):
        raise _of_another_build(build, refused or sorted(known.elsewhere))
    names = options.model or _names_of(known)
    bases = _bases_of(names, options.base_model, frozenset(known.accounts) - tunes)
    ordered = sorted(names, key=lambda name: name not in bases)
    models = [
        System(
            name=name,
            kind="model",
            role="base" if name in bases else "candidate",
            base=None if name in bases else _base_of(name, bases, options.base_model, known),
            account=_account(known.accounts.get(name), options),
        )
        for name in ordered
    ]
    files = [
        System(name=name, kind="predictions", role="candidate", base=_only(bases), file=path)
        for name, path in options.prediction_files.items()
    ]
    left_out = () if options.model else sorted(known.elsewhere)
    notes = tuple(f"{name} was left out: it was tuned on another build than the one that is here" for name in left_out)
    return Lineup([System(name=COPY, kind="copy", role="copy"), *models, *files], notes)


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
            content = line.removeprefix(BOM) if number == 1 else line
            where = f"{path}, line {number}"
            try:
                row = msgspec.json.decode(content, type=Prediction)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                problem, advice = (
                    f"no prediction ({error})",
                    'write {"key":"…","prediction":"…"}, keys as in rows.jsonl',
                )
                raise InputError(where, problem, advice) from error
            if row.key in predictions:
                raise InputError(where, f"{row.key!r} is there twice", "write one prediction a row")
            predictions[row.key] = row.prediction
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


def _base_of(name: str, bases: frozenset[str], given: str | None, known: _Known) -> str | None:
    """Return which of *bases* the model *name* is held against: the one given, its own, or the only one if it is of none."""
    own = known.tuned_from.get(name, base_name(name))
    if given is not None:
        return given
    return _only(bases) if own == name else own if own in bases else None


def _only(bases: frozenset[str]) -> str | None:
    """Return the base model, if there is one alone."""
    return next(iter(bases)) if len(bases) == 1 else None


def _names_of(known: _Known) -> tuple[str, ...]:
    """Return the models of a ledger that are evaluated: the tunes of this build, and what those were tuned from."""
    tunes = [name for name in known.tuned_from if name not in known.elsewhere]
    wanted = {*tunes, *(known.tuned_from[name] for name in tunes)}
    return tuple(name for name in known.accounts if name in wanted)


def _of_another_build(build: FinishedBuild, names: Sequence[str]) -> BuildError:
    problem = (
        f"{', '.join(names)} learnt from another build than the one that is here, and maybe from rows of the test set"
    )
    advice = "build as it was, or evaluate it on a test file: without OUT, by --file and --model"
    return BuildError(str(build.given), problem, advice)


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


def _read_ledger(build: FinishedBuild, file: Path) -> _Known:
    """Return the models of the ledger of *build* in *file*, each tune after what it was tuned from."""
    if not file.exists():
        return _Known({}, {}, frozenset())
    with read_ledger(file) as ledger:
        accounts = {row.id: row for row in ledger.accounts()}
        jobs = {job.fine_tuned_model: job for job in ledger.jobs() if job.fine_tuned_model is not None}
    by_model: dict[str, AccountRow] = {}
    for tune, job in jobs.items():
        for name in (job.model, tune):
            by_model.setdefault(name, accounts[job.account])
    present = build_hash(build)
    lines = {tune: _line_of(job, jobs) for tune, job in jobs.items()}
    elsewhere = frozenset(tune for tune, line in lines.items() if any(job.manifest != present for job in line))
    return _Known(by_model, {tune: line[-1].model for tune, line in lines.items()}, elsewhere)


def _line_of(job: JobRow, jobs: Mapping[str, JobRow]) -> list[JobRow]:
    """Return *job*, the job of the tune that it went on from, and so on to a base model."""
    line = [job]
    while (before := jobs.get(line[-1].model)) is not None and before not in line:
        line.append(before)
    return line
