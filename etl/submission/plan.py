"""The plan: which jobs on which files, each under a key that is the same whenever the same is asked for."""

import hashlib
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from etl.errors import BuildError, OptionError
from etl.example.limits import FEWEST_EXAMPLES
from etl.providers.account import Account
from etl.submission.content import Content, Digests
from etl.submission.options import SubmitOptions
from schemas.ledger import Piece, PlanShape
from schemas.manifest import ChunkRow, Manifest
from schemas.provider import Provider
from schemas.remote import JobRequest
from schemas.terms import Split

KEY = "saturi_key"
ATTEMPT = "saturi_attempt"
"""Names in a job's metadata; the values are the key of the job, and the number of the attempt, from 1."""


class PlannedFile(Struct, frozen=True, kw_only=True):
    """A file to send, by the hash of its content."""

    content: Content
    sha256: str
    md5: str

    @property
    def name(self) -> str:
        """Its name at the provider: the hash, and nothing of the corpus."""
        return f"saturi-{self.sha256}.jsonl"

    @property
    def bytes(self) -> int:
        """Its length."""
        return self.content.bytes

    @property
    def examples(self) -> int:
        """Its lines."""
        return self.content.examples


class Billing(NamedTuple):
    """Epochs of a job, the tokens it is billed for in all of them, and the price of a million; None where not known."""

    epochs: int
    tokens: int | None
    usd_per_million_tokens: float | None

    @property
    def usd(self) -> float | None:
        """The cost."""
        known = self.tokens is not None and self.usd_per_million_tokens is not None
        return self.tokens * self.usd_per_million_tokens / 1e6 if known else None  # type: ignore[operator]  # both known


class PlannedJob(Struct, frozen=True, kw_only=True):
    """A job to create; `model` is None where it is the one that the job before makes."""

    key: str
    title: str
    model: str | None
    training: PlannedFile
    validation: PlannedFile | None
    billing: Billing
    suffix: str | None
    seed: int | None

    def request(self, model: str, file_ids: tuple[str, str | None], attempt: int, provider: Provider) -> JobRequest:
        """Return the request to *provider* that creates it from *model*, on training and validation file."""
        training, validation = file_ids
        return JobRequest(
            model=model,
            training_file=training,
            validation_file=validation,
            epochs=self.billing.epochs,
            metadata={KEY: self.key, ATTEMPT: str(attempt)} if provider.metadata else {},
            suffix=self.suffix,
            seed=self.seed,
            extra=provider.extra_body,
        )


class Plan(Struct, frozen=True, kw_only=True):
    """
    All jobs of a submission.

    `left_out` are the shards that are not sent, each with the reason; `notes` is what to know before agreeing.
    """

    account: Account
    model: str
    shape: PlanShape
    manifest: str
    jobs: tuple[PlannedJob, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def usd(self) -> float | None:
        """What all jobs cost, or None where one of them cannot be priced."""
        costs = [job.billing.usd for job in self.jobs]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    @property
    def files(self) -> list[PlannedFile]:
        """Every file once."""
        files = [file for job in self.jobs for file in (job.training, job.validation) if file is not None]
        return list({file.name: file for file in files}.values())


class Material(NamedTuple):
    """What one job is made of, before it is priced: its title, and its chunks of each split."""

    title: str
    region: str | None
    speech_type: str | None
    train: tuple[Piece, ...]
    validation: tuple[Piece, ...]

    @property
    def examples(self) -> int:
        """Examples to learn from."""
        return _count(self.train)


Pricer = Callable[[Material], Billing]


def make_plan(
    out: Path, manifest: Manifest, account: Account, options: SubmitOptions, price: Pricer, notes: Iterable[str] = ()
) -> Plan:
    """
    Return the plan for the build in *out*; every chunk that is to be sent is hashed.

    Args:
        price: Returns the billing of one job's material.
        notes: What to know before agreeing.

    Raises:
        BuildError: No shard has enough examples, or a chunk cannot be read.
        OptionError: A job is over a limit of the provider.
    """
    left_out: list[str] = []
    jobs: list[PlannedJob] = []
    for material in _materials(manifest, options.plan):
        if material.examples < FEWEST_EXAMPLES:
            left_out.append(_too_few(f"{material.title}, train", material.train))
            continue
        if 0 < _count(material.validation) < FEWEST_EXAMPLES:
            left_out.append(_too_few(f"{material.title}, validation", material.validation))
            material = material._replace(validation=())  # noqa: PLW2901 - the same job without
        before = jobs[-1] if jobs and options.plan == "chained" else None
        jobs.append(_plan_job(out, material, account, options, price(material), before))
    if not jobs:
        raise BuildError(str(out), f"no job has {FEWEST_EXAMPLES} examples", "build with more regions or label files")
    return Plan(
        account=account,
        model=options.model,
        shape=options.plan,
        manifest=hash_of(msgspec.to_builtins(manifest)),
        jobs=tuple(jobs),
        left_out=tuple(left_out),
        notes=tuple(notes),
    )


def hash_of(value: Any) -> str:
    """Return the SHA-256 of *value*, any JSON, whatever the order of its keys."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def _plan_job(
    out: Path, material: Material, account: Account, options: SubmitOptions, billing: Billing, before: PlannedJob | None
) -> PlannedJob:
    training = _file(out, material.train, account)
    validation = _file(out, material.validation, account) if material.validation else None
    _check_limits(material.title, training, account, billing)
    return PlannedJob(
        key=_key(account, options, billing.epochs, before, training, validation),
        title=material.title,
        model=None if before else options.model,
        training=training,
        validation=validation,
        billing=billing,
        suffix=options.suffix,
        seed=options.seed,
    )


def _key(
    account: Account,
    options: SubmitOptions,
    epochs: int,
    before: PlannedJob | None,
    training: PlannedFile,
    validation: PlannedFile | None,
) -> str:
    """Return the key of a job; its form stays as it is, since jobs are found by it again."""
    request: dict[str, Any] = {
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": epochs}}},
        **({} if options.suffix is None else {"suffix": options.suffix}),
        **({} if options.seed is None else {"seed": options.seed}),
        **({"extra_body": account.provider.extra_body} if account.provider.extra_body else {}),
    }
    return hash_of(
        {
            "provider": account.provider.name,
            "base_url": account.base_url,
            "project": account.project,
            **({"organization": account.organization} if account.organization else {}),
            "model": options.model,
            "after": before.key if before else None,
            "request": request,
            "training": training.sha256,
            "validation": validation.sha256 if validation else None,
        }
    )


def _materials(manifest: Manifest, shape: PlanShape) -> list[Material]:
    """Return what each job is made of: all shards, or those of one region and speech type."""
    chunks = {split: [chunk for chunk in manifest.chunks if chunk.split == split] for split in Split}
    if shape == "merged":
        return [Material("all shards", None, None, *(tuple(map(_piece, chunks[split])) for split in Split))]

    def shard(chunk: ChunkRow) -> tuple[str, str]:
        return chunk.region, chunk.speech_type

    pieces = {
        split: {name: tuple(map(_piece, rows)) for name, rows in groupby(sorted(chunks[split], key=shard), key=shard)}
        for split in Split
    }
    names = [(row.region, row.speech_type) for row in manifest.shards if row.split == Split.TRAIN]
    return [
        Material(" ".join(name), *name, *(pieces[split].get(name, ()) for split in Split))
        for name in dict.fromkeys(names)
    ]


def _piece(chunk: ChunkRow) -> Piece:
    return Piece(path=chunk.path, examples=chunk.examples, bytes=chunk.bytes, sha256=chunk.sha256)


def _file(out: Path, pieces: tuple[Piece, ...], account: Account) -> PlannedFile:
    content = Content(folder=out, pieces=pieces, bom=account.provider.bom == "required")
    digests: Digests = content.digests()
    return PlannedFile(content=content, sha256=digests.sha256, md5=digests.md5)


def _count(pieces: tuple[Piece, ...]) -> int:
    return sum(piece.examples for piece in pieces)


def _too_few(what: str, pieces: tuple[Piece, ...]) -> str:
    return f"{what}: {_count(pieces)} examples, fewer than {FEWEST_EXAMPLES}"


def _check_limits(title: str, training: PlannedFile, account: Account, billing: Billing) -> None:
    provider = account.provider
    if training.bytes > provider.max_file_bytes:
        problem = f"{title} is {training.bytes:,} bytes, {provider.name} takes {provider.max_file_bytes:,}"
        raise OptionError("--plan", problem, "take per-shard or chained, or build with fewer regions")
    most = provider.max_billed_tokens
    if most is not None and billing.tokens is not None and billing.tokens > most:
        problem = f"{title} is {billing.tokens:,} tokens in {billing.epochs} epochs, {provider.name} takes {most:,}"
        raise OptionError("--epochs", problem, "ask for fewer epochs, or take --plan per-shard")
