"""The report of a finished build: facts of all that lies in its folder. No archive is read, and nothing is sent."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from saturi.etl.errors import BuildError, EtlError, StorageError, UnknownPriceError
from saturi.etl.evaluation.results import FOLDER, SCORES, read_evaluation
from saturi.etl.example.tokens import load_tokenizer
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.folder import STAGE
from saturi.etl.output.side import local_side
from saturi.etl.pricing.tariff import Tariff, tariff_of
from saturi.etl.providers.models import DEFAULT_MODEL, find_model, read_models
from saturi.etl.reports.corpus import corpus_facts, duplicates, flow_facts, inspected_corpus
from saturi.etl.reports.record import build_record
from saturi.etl.settings.paths import output_of, path_of
from saturi.etl.storage.location import Location
from saturi.etl.submission.keeping import ledger_of
from saturi.etl.submission.ledger import read_ledger
from saturi.etl.version import __version__
from saturi.schemas.estimate import Estimate
from saturi.schemas.evaluation import Evaluation
from saturi.schemas.inspection import Inspection
from saturi.schemas.manifest import Manifest
from saturi.schemas.model import Model
from saturi.schemas.report import LossPoint, Report, SplitFacts, TokenFacts, TrainingJob

Part = TypeVar("Part")

_EVALUATIONS = 3
"""Evaluations in a report, at most: the last ones."""


def report(
    out: str | Location,
    model: str = DEFAULT_MODEL,
    *,
    models: Mapping[str, Model] | None = None,
    stage: str | Location | None = None,
    ledger: str | Path | None = None,
    text: bool = False,
) -> Report:
    """
    Return the report of the build in *out*: what its folder says, and what is missing there.

    Args:
        out: Folder of a build, or its URL.
        model: What prices and limits are of: a model, one of its snapshots, or a tune of either.
        models: Facts of models; None for those of this package.
        stage: Folder of the segments, or its URL, where that is not `stage` in *out*.
        ledger: File of the ledger, where that is not the one of *out*.
        text: Also list the most frequent changed words, which are text of the corpus.

    Raises:
        BuildError: *out* holds no finished build, or a damaged one.
        OptionError: The model is unknown.
    """
    from saturi.etl.reports.stage import stage_facts  # noqa: PLC0415 - loads Polars; `import saturi` stays quick
    from saturi.etl.reports.texts import text_facts  # noqa: PLC0415 - as above

    missing: list[str] = []
    tariff = _known("price", partial(tariff_of, model, models), missing, UnknownPriceError)
    build = FinishedBuild.open(out)
    texts = text_facts(build, text=text)  # which reads every chunk, and so verifies it: below none is read again
    estimate = _estimate(build, tariff or _unpriced(model, models))
    folder = build.given / STAGE if stage is None else output_of(stage, "--stage")
    staged = _known("stage", lambda: stage_facts(build, folder), missing, StorageError, BuildError)
    evaluated = _evaluated(local_side(build.given).absolute())
    file = ledger_of(build.given, None if ledger is None else path_of(ledger, "--ledger"))
    return Report(
        version=__version__,
        corpus=corpus_facts(build, staged),
        flow=flow_facts(build.manifest),
        duplicates=duplicates(build.manifest),
        stage=staged,
        texts=texts,
        tokens=_tokens(estimate),
        estimate=None if tariff is None else estimate,
        split=_split(build.manifest),
        jobs=_known("ledger", lambda: _jobs(file), missing, EtlError) or [],
        evaluations=_evaluations(evaluated[-_EVALUATIONS:], missing),
        earlier_evaluations=len(evaluated[:-_EVALUATIONS]),
        record=build_record(build),
        missing=missing,
    )


def survey_report(inspection: Inspection) -> Report:
    """Return the report of a corpus that was inspected: the first part, before anything is built."""
    return Report(version=__version__, corpus=inspected_corpus(inspection))


def _known(part: str, make: Callable[[], Part], missing: list[str], *errors: type[EtlError]) -> Part | None:
    """Return what *make* returns, or None where it fails with one of *errors*: then *part* is missing."""
    try:
        return make()
    except errors:
        if part not in missing:
            missing.append(part)
        return None


def _estimate(build: FinishedBuild, tariff: Tariff) -> Estimate:
    from saturi.etl.pricing.breakdown import make_estimate  # noqa: PLC0415 - loads Polars; `import saturi` stays quick
    from saturi.etl.pricing.tokens import counter_for  # noqa: PLC0415 - as above

    tokenizer = load_tokenizer(tariff.model)
    return make_estimate(build, tariff, tokenizer, None, counter_for(build, tokenizer))


def _unpriced(model: str, models: Mapping[str, Model] | None) -> Tariff:
    """Return a tariff for counting tokens only: its prices mean nothing."""
    return Tariff(find_model(model, models if models is not None else read_models()), 0.0)


def _tokens(estimate: Estimate) -> TokenFacts:
    total = estimate.total
    return TokenFacts(
        model=estimate.model,
        tokenizer=estimate.tokenizer,
        exact=estimate.exact,
        limit=estimate.max_example_tokens,
        over_limit=total.over_limit,
        median=total.p50,
        most=total.max,
        bin_tokens=estimate.bin_tokens,
        histogram=total.histogram,
    )


def _split(manifest: Manifest) -> SplitFacts:
    options = manifest.options
    return SplitFacts(
        validation=str(options.get("validation")),
        split_by=[str(key) for key in options.get("split_by") or []],
        groups=manifest.groups,
        shared=manifest.counts.shared,
        validation_in_training=manifest.counts.validation_in_training,
    )


def _jobs(file: Path) -> list[TrainingJob]:
    """Return the jobs of the ledger in *file*, if there is one."""
    if not file.exists():
        return []
    with read_ledger(file, only_read=True) as ledger:
        losses = ledger.losses()
        return [
            TrainingJob(
                title=row.title,
                model=row.model,
                status=row.status or row.state,
                epochs=row.epochs,
                examples=row.examples,
                trained_tokens=row.trained_tokens,
                losses=[
                    LossPoint(step=loss.step, train=loss.train_loss, validation=loss.valid_loss)
                    for loss in losses
                    if (loss.account, loss.job_id) == (row.account, row.job_id)
                ],
            )
            for row in ledger.jobs()
        ]


def _evaluated(folder: Path) -> list[Path]:
    """Return the folders of the evaluations in *folder*, the last one last."""
    try:
        scores = sorted((folder / FOLDER).glob(f"*/{SCORES}"), key=lambda path: path.stat().st_mtime_ns)
    except OSError:
        return []
    return [path.parent for path in scores]


def _evaluations(folders: Iterable[Path], missing: list[str]) -> dict[str, Evaluation]:
    """Return the evaluations in *folders* by their names."""
    evaluations: dict[str, Evaluation] = {}
    for folder in sorted(folders):
        result = _known("evaluation", partial(read_evaluation, folder), missing, EtlError)
        if result is not None:
            evaluations[folder.name] = result.evaluation
    return evaluations
