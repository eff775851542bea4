"""
The types of the public API, as mypy sees them: a change of one is an error here, and so a decision.

Nothing here is run; `mypy --strict` checks it with the rest (`make types`).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, assert_type

import polars as pl

from saturi import (
    Access,
    BuildDiff,
    BuildOptions,
    BuildResult,
    CheckReport,
    Cleaning,
    Estimate,
    EtlError,
    EvaluateOptions,
    EvaluationResult,
    FetchOptions,
    FinishedBuild,
    Health,
    Offer,
    Pace,
    PriorConsent,
    Report,
    SampleReport,
    ShownPair,
    Status,
    Submission,
    SubmitOptions,
    Verification,
    build,
    cancel,
    check,
    clean,
    dask_executor,
    diff,
    doctor,
    dry_run,
    estimate,
    estimate_all,
    evaluate,
    explain,
    export,
    export_card,
    fetch,
    init,
    inspect,
    list_archives,
    load,
    load_dataset,
    plan_fetch,
    plan_submission,
    repair,
    report,
    sample,
    schema,
    show,
    status,
    submit,
    verify,
    watch,
    write_page,
)
from saturi.etl.checking.report import Problem
from saturi.etl.corpus.scan import Scan
from saturi.etl.download.news import News
from saturi.etl.output.verification import Damage
from saturi.etl.runtime.cluster import DaskExecutor
from saturi.etl.runtime.measurements import BuildFacts
from saturi.etl.storage.location import ObjectPath
from saturi.etl.submission.plan import Plan, PlannedJob
from saturi.schemas.estimate import SampleEstimate, Saving, ShardEstimate
from saturi.schemas.evaluation import Evaluation, Score
from saturi.schemas.explanation import Explanation, Fate
from saturi.schemas.fetch import DataSetList, FetchedArchive, FetchPlan, FetchResult, RepairedArchive
from saturi.schemas.health import Extra, Finding
from saturi.schemas.inspection import InspectedArchive, InspectedGroup, Inspection
from saturi.schemas.ledger import FileRow, JobRow
from saturi.schemas.manifest import ArchiveRow, ChunkRow, Counts, Manifest, ShardRow
from saturi.schemas.origin import Origin
from saturi.schemas.pairs import PairChanges, Run
from saturi.schemas.report import TrainingJob


def types_of_downloads(to: Path) -> None:
    """Types of a download, and of what is asked and told before and after."""

    def report(news: News) -> None: ...

    result = fetch(("71517", "jeju"), to, FetchOptions(match=("*라벨*",)), agree=lambda: True, report=report)
    assert_type(result, FetchResult)
    assert_type(result.archives, tuple[FetchedArchive, ...])
    assert_type(list_archives(71517), list[DataSetList])
    assert_type(plan_fetch("71517", to), FetchPlan)
    assert_type(repair(to), list[RepairedArchive])


def types_of_builds(corpus: Sequence[Path], out: Path) -> None:
    """Types of a build and of what is read from one."""
    result = build(corpus, out, BuildOptions(), workers=2)
    assert_type(result, BuildResult)
    assert_type(result.out, str)
    assert_type(result.facts, BuildFacts)
    assert_type(result.warnings, list[str])
    assert_type(result.failures, list[str])
    assert_type(result.manifest, Manifest)
    assert_type(result.manifest.counts, Counts)
    assert_type(result.manifest.corpus, list[ArchiveRow])
    assert_type(result.manifest.shards, list[ShardRow])
    assert_type(result.manifest.chunks, list[ChunkRow])
    assert_type(dry_run(corpus), list[Scan])
    assert_type(dask_executor("tcp://host:8786"), DaskExecutor)
    assert_type(sample(out, 400, seed=1), SampleReport)
    assert_type(inspect(corpus), Inspection)
    assert_type(inspect(out).archives, list[InspectedArchive])
    assert_type(inspect(str(out)).total, InspectedGroup)
    assert_type(verify(out), Verification)
    assert_type(verify(str(out)).damage, list[Damage])
    explanations = explain(out, "a.json", text=True)
    assert_type(explanations, list[Explanation])
    assert_type(explanations[0].utterances, list[Fate])


def types_of_finished_builds(out: Path) -> None:
    """Types of a finished build and its frames."""
    finished = FinishedBuild.open(out)
    assert_type(finished, FinishedBuild)
    assert_type(finished.folder, Path | ObjectPath)
    assert_type(finished.manifest, Manifest)
    assert_type(finished.manifest_sha256, str)
    assert_type(finished.read_chunk(finished.manifest.chunks[0]), Iterator[bytes])
    assert_type(finished.verification(), Verification)
    assert_type(finished.origins([("chunk", 1)]), dict[tuple[str, int], Origin])
    assert_type(finished.examples(), pl.LazyFrame)
    assert_type(finished.lineage(), pl.LazyFrame)
    assert_type(finished.decisions(), pl.LazyFrame)
    assert_type(finished.collect(finished.lineage()), pl.DataFrame)


def types_of_pairs(out: Path) -> None:
    """Types of pairs: loaded, shown and compared."""
    assert_type(load(out), pl.DataFrame)
    load_dataset(str(out))
    pairs = show(out, 3, region="jeju", split="train", dropped="duplicate")
    assert_type(pairs, list[ShownPair])
    assert_type(pairs[0].runs, list[Run])
    assert_type(diff(out, str(out)), BuildDiff)
    assert_type(diff(out, out).pairs, PairChanges | None)


def types_of_installations(folder: Path) -> None:
    """Types of settings, schemas and health."""
    assert_type(init(folder / "etl.toml"), Path)
    assert_type(schema("manifest"), dict[str, Any])
    assert_type(doctor(folder), Health)
    assert_type(doctor().findings, list[Finding])
    assert_type(doctor().extras, list[Extra])


def types_of_estimates(out: Path) -> None:
    """Types of checks, estimates and exports."""
    checked = check([out])
    assert_type(checked, CheckReport)
    assert_type(checked.problems, list[Problem])
    assert_type(checked.errors, dict[str, int])
    price = estimate(out, "gpt-4.1-mini", epochs=2)
    assert_type(price, Estimate)
    assert_type(price.total, ShardEstimate)
    assert_type(price.samples, list[SampleEstimate])
    assert_type(price.saved, Saving)
    assert_type(price.price_usd, float)
    assert_type(price.price_krw, int | None)
    assert_type(estimate_all(out, rate=1400), list[Offer])
    assert_type(export(out, "trl"), Path)
    assert_type(export_card(out, "saturi"), Path)


def types_of_reports(out: Path) -> None:
    """Types of reports."""
    known = report(out, "gpt-4.1-mini", text=True)
    assert_type(known, Report)
    assert_type(known.jobs, list[TrainingJob])
    assert_type(known.missing, list[str])
    write_page(known, out / "report.html", "ko")


def types_of_jobs(out: Path) -> None:
    """Types of submissions and of what follows them."""
    options = SubmitOptions(epochs=2)
    plan = plan_submission(out, options)
    assert_type(plan, Plan)
    assert_type(plan.usd, float | None)
    assert_type(plan.jobs, tuple[PlannedJob, ...])
    assert_type(submit(out, options), Submission)
    assert_type(submit(out, options).jobs, tuple[JobRow, ...])
    assert_type(submit(out, options).created, int)
    access = Access(key_file=Path("key"))
    pace, consent = Pace(poll_seconds=1), PriorConsent(yes=True)
    assert_type(watch(out, access, pace=pace), tuple[JobRow, ...])
    assert_type(status(out, access), Status)
    assert_type(status(out).files, tuple[FileRow, ...])
    assert_type(cancel(out, "ftjob-1", access), tuple[JobRow, ...])
    assert_type(clean(out, access, consent=consent), Cleaning)
    assert_type(clean(out).deleted, tuple[str, ...])


def types_of_evaluations(out: Path) -> None:
    """Types of an evaluation."""
    result = evaluate(out, EvaluateOptions(sample=10))
    assert_type(result, EvaluationResult)
    assert_type(result.folder, Path)
    assert_type(result.evaluation, Evaluation)
    assert_type(result.evaluation.systems[0].strata[0].scores["chrf"], Score)
    assert_type(result.failures, tuple[str, ...])
    assert_type(result.scores(), pl.DataFrame)
    assert_type(result.predictions(), pl.LazyFrame)


def types_of_errors(error: EtlError) -> None:
    """Types of an error."""
    assert_type(error.exit_code, int)
