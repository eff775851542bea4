"""The plan: which jobs on which files, each under a key that is the same whenever the same is asked for."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, structs

from saturi.etl.errors import BuildError, OptionError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.printable import counted
from saturi.etl.pricing.money import cost_usd
from saturi.etl.providers.account import Account
from saturi.etl.providers.tags import ATTEMPT, KEY
from saturi.etl.providers.wires import suffix_of
from saturi.etl.submission.content import Content, Digester
from saturi.etl.submission.options import SubmitOptions
from saturi.schemas.brief import brief
from saturi.schemas.ledger import Piece, PlanShape
from saturi.schemas.manifest import ChunkRow
from saturi.schemas.provider import Provider
from saturi.schemas.remote import JobRequest
from saturi.schemas.terms import Split


class PlannedFile(Struct, frozen=True, kw_only=True):
    """A file to send, by the hash of its content."""

    content: Content
    sha256: str
    md5: str
    bytes: int

    @property
    def name(self) -> str:
        """Its name at the provider: the hash, and nothing of the corpus."""
        return f"saturi-{self.sha256}{suffix_of(self.content.wire)}"

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
        """The cost, in US dollars."""
        return cost_usd(self.tokens, self.usd_per_million_tokens)


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
            metadata={KEY: self.key, ATTEMPT: str(attempt)} if provider.metadata != "dropped" else {},
            is_tune=self.model is None,
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

    def __repr__(self) -> str:
        return brief(self, model=self.model, shape=self.shape, jobs=len(self.jobs), usd=self.usd)


class Material(NamedTuple):
    """The contents of one job, before it is priced, with the shard they are of; region and type are None for all shards."""

    title: str
    region: str | None
    speech_type: str | None
    train: Content
    validation: Content


Pricer = Callable[[Material], Billing]


def make_plan(  # noqa: PLR0913, PLR0917 - all that a plan is made of
    build: FinishedBuild,
    account: Account,
    options: SubmitOptions,
    materials: Iterable[Material],
    digester: Digester,
    price: Pricer,
    notes: Iterable[str] = (),
) -> Plan:
    """
    Return the plan for *build*.

    Args:
        build: The build.
        account: Where to submit it.
        options: How to submit it.
        materials: What its jobs are made of.
        digester: It has seen all chunks.
        price: Returns the billing of one job's material.
        notes: What to know before agreeing.

    Raises:
        BuildError: No shard has enough examples.
        OptionError: A job is over a limit of the provider.
    """
    fewest = account.provider.fewest_examples
    left_out: list[str] = []
    jobs: list[PlannedJob] = []
    for material in materials:
        if material.train.examples < fewest:
            left_out.append(_too_few(f"{material.title}, train", material.train, fewest))
            continue
        if 0 < material.validation.examples < fewest:
            left_out.append(_too_few(f"{material.title}, validation", material.validation, fewest))
            empty = structs.replace(material.validation, pieces=())
            material = material._replace(validation=empty)  # noqa: PLW2901 - the same job without
        before = jobs[-1] if jobs and options.plan == "chained" else None
        jobs.append(_plan_job(material, account, options, digester, price(material), before))
    if not jobs:
        problem = f"no job has {fewest} examples"
        raise BuildError(str(build.given), problem, "build with more regions or label files")
    return Plan(
        account=account,
        model=options.model,
        shape=options.plan,
        manifest=build_hash(build),
        jobs=tuple(jobs),
        left_out=tuple(left_out),
        notes=tuple(notes),
    )


def materials_of(build: FinishedBuild, shape: PlanShape, provider: Provider) -> list[Material]:
    """Return what each job is made of: all shards, or those of one region and speech type."""
    bom = provider.bom == "required"

    def content(chunks: Iterable[ChunkRow]) -> Content:
        return Content(folder=build.folder, pieces=tuple(map(_piece, chunks)), bom=bom, wire=provider.wire)

    sent = [split for split in Split if split == Split.TRAIN or provider.validation_files]
    chunks = {
        split: [chunk for chunk in build.manifest.chunks if chunk.split == split and split in sent] for split in Split
    }
    if shape == "merged":
        return [Material("all shards", None, None, *(content(chunks[split]) for split in Split))]
    names = [(row.region, row.speech_type) for row in build.manifest.shards if row.split == Split.TRAIN]
    return [
        Material(
            " ".join(name),
            *name,
            *(content(row for row in chunks[split] if (row.region, row.speech_type) == name) for split in Split),
        )
        for name in dict.fromkeys(names)
    ]


def build_hash(build: FinishedBuild) -> str:
    """Return by what a job names the build it is of: the same of two builds with the same manifest."""
    return hash_of(msgspec.to_builtins(build.manifest))


def hash_of(value: Any) -> str:
    """Return the SHA-256 of *value*, any JSON, whatever the order of its keys."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def _plan_job(
    material: Material,
    account: Account,
    options: SubmitOptions,
    digester: Digester,
    billing: Billing,
    before: PlannedJob | None,
) -> PlannedJob:
    training = _file(material.train, digester)
    validation = _file(material.validation, digester) if material.validation.pieces else None
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
    """Return the key of a job; its form stays as it is, since existing jobs are recognised by it."""
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


def _piece(chunk: ChunkRow) -> Piece:
    return Piece(path=chunk.path, examples=chunk.examples, bytes=chunk.bytes, sha256=chunk.sha256)


def _file(content: Content, digester: Digester) -> PlannedFile:
    digests = digester.digests(content)
    return PlannedFile(content=content, sha256=digests.sha256, md5=digests.md5, bytes=digests.bytes)


def _too_few(what: str, content: Content, fewest: int) -> str:
    return f"{what}: {counted(content.examples, 'example')}, fewer than {fewest}"


def _check_limits(title: str, training: PlannedFile, account: Account, billing: Billing) -> None:
    provider = account.provider
    if training.bytes > provider.max_file_bytes:
        problem = f"{title} is {training.bytes:,} bytes, {provider.name} takes {provider.max_file_bytes:,}"
        raise OptionError("--plan", problem, "take per-shard or chained, or build with fewer regions")
    most = provider.max_billed_tokens
    if most is not None and billing.tokens is not None and billing.tokens > most:
        problem = f"{title} is {billing.tokens:,} tokens in {billing.epochs} epochs, {provider.name} takes {most:,}"
        raise OptionError("--epochs", problem, "ask for fewer epochs, or take --plan per-shard")
