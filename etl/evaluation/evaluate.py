"""Evaluate, top to bottom: the rows, the systems, what asking costs, the answers, the counts, the scores."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from msgspec import structs

from saturi.etl.errors import InputError, OptionError
from saturi.etl.evaluation.answers import Answers, Usage
from saturi.etl.evaluation.bill import Consent, PriorConsent, SystemBill, agree
from saturi.etl.evaluation.journal import JOURNAL, Journal
from saturi.etl.evaluation.options import COPY, EvaluateOptions
from saturi.etl.evaluation.progress import Progress, Reporter, silent
from saturi.etl.evaluation.results import (
    ROWS,
    EvaluationResult,
    drafts_in,
    folder_of,
    place_of,
    replace_results,
    write_predictions,
    write_scores,
)
from saturi.etl.evaluation.rows import BuildRows, FileRows, Rows
from saturi.etl.evaluation.systems import System, systems_of
from saturi.etl.evaluation.verdict import check_thresholds, claim_of, failures_of
from saturi.etl.output.files import make_folder, storage_errors
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.holding import locked
from saturi.etl.output.side import make_side
from saturi.etl.providers.pace import Pace
from saturi.etl.runtime.memory import require_address_space
from saturi.etl.storage.location import Location
from saturi.etl.submission.keeping import ledger_of
from saturi.etl.submission.ledger import read_ledger
from saturi.etl.version import __version__
from saturi.schemas.evaluation import EVALUATION_VERSION, Evaluation, MetricRow, SystemScores, TestRow, TestSetRow

if TYPE_CHECKING:
    from saturi.etl.evaluation.metrics import Scorer

_METRICS_BYTES = 448 << 20
"""Address space of the libraries of the metrics, and of the threads that ask: 650 MiB with Polars, less what those need."""

_LIBRARIES = ("sacrebleu", "rouge_score", "nltk", "rapidfuzz")


def evaluate(
    out: str | Location | None = None,
    options: EvaluateOptions | None = None,
    *,
    consent: Consent | None = None,
    report: Reporter = silent,
    pace: Pace | None = None,
) -> EvaluationResult:
    """
    Score copying, models and predictions on the rows of a test set, and return it all.

    What was answered before is not asked again, whatever ended the run before.

    Args:
        out: Folder of the build, or its URL; None with a file as the test set.
        options: What is evaluated, where it is asked, and up to which cost.
        consent: Asked before anything leaves this machine; None agrees to what the options say, and so not to any cost.
        report: Called as it goes on.
        pace: Waits and deadlines.

    Raises:
        OptionError: An option cannot be, or the libraries of the extra `evaluate` are not installed.
        InputError: A build, a test set or predictions cannot be read, or no row is left.
        SpendingError: Nobody agreed to the cost or the terms of the data, or it is over the limit.
        NoAnswerError: A model does not answer; the next run goes on from here.
        ProviderError: It refuses what it is asked.
        LockedError: Another evaluation writes to the same folder.
    """
    _require_libraries()
    from saturi.etl.evaluation.metrics import Scorer
    from saturi.etl.evaluation.testset import make_test_set, read_rows

    options, pace = options or EvaluateOptions(), pace or Pace()
    consent = consent or PriorConsent(accept_data_terms=options.accept_data_terms)
    place = place_of(out, options)
    build = None if out is None else FinishedBuild.open(out)
    ledger = None if build is None else ledger_of(build.folder, options.ledger)
    (systems, notes), scorer = systems_of(build, ledger, options), Scorer()
    check_thresholds(options.thresholds, _metric_rows(scorer))
    folder = folder_of(place, options.folder_name)
    if out is not None:
        make_side(out)
    make_folder(folder)
    with ExitStack() as stack:
        stack.enter_context(locked(folder))
        drafts = stack.enter_context(drafts_in(folder))
        report(Progress("reading", 0, 0))
        test_set = make_test_set(_rows(build, options), options.folder_name, options.sample, drafts / ROWS)
        journal = stack.enter_context(_open_journal(folder))
        answers = Answers(partial(read_rows, drafts / ROWS), journal, options, report)
        bill = answers.bill(systems)
        agree(bill, consent, journal, unknown_price=options.allow_unknown_price, terms_accepted=_terms_accepted(ledger))
        for system, its_bill in zip(systems, bill.systems, strict=True):
            answers.ask(system, its_bill, pace)
        answers.refuse_unanswered()
        described = [
            _described(system, its_bill, answers.usage(system))
            for system, its_bill in zip(systems, bill.systems, strict=True)
        ]
        evaluation = _score(
            _Scoring(drafts, test_set, journal, scorer, options, (*notes, *answers.notes)), systems, described, report
        )
        replace_results(drafts, folder)
    failures = tuple(failures_of(options.thresholds, evaluation.systems))
    return EvaluationResult(folder=folder, evaluation=evaluation, failures=failures)


class _Scoring(NamedTuple):
    """What scoring needs."""

    folder: Path
    test_set: TestSetRow
    journal: Journal
    scorer: "Scorer"
    options: EvaluateOptions
    notes: tuple[str, ...]


def _score(
    given: _Scoring, systems: Sequence[System], described: Sequence[SystemScores], report: Reporter
) -> Evaluation:
    """Count every row as every system answers it, score the counts, and write it all down."""
    from saturi.etl.evaluation.resampling import RESAMPLES, SEED
    from saturi.etl.evaluation.scores import Compared, score_systems, strata_of
    from saturi.etl.evaluation.scoring import ROWS_AT_ONCE, answerers, count
    from saturi.etl.evaluation.testset import read_rows

    folder, test_set, journal, scorer, options = (
        given.folder,
        given.test_set,
        given.journal,
        given.scorer,
        given.options,
    )
    by_name = answerers(systems, journal, options.seed)
    with _spool(folder) as spool:
        rows = _reported(read_rows(folder / ROWS), test_set.rows, ROWS_AT_ONCE, report)
        counted = count(rows, test_set.rows, by_name, scorer, folder, spool)
        report(Progress("scoring", test_set.rows, test_set.rows))
        if len(counted.unanswered) == test_set.rows:
            raise InputError(test_set.name, "no row has an answer of every system", "ask again")
        write_predictions(folder, spool)
    compared = Compared(COPY, {system.name: system.base for system in systems if system.base is not None})
    scores = score_systems(counted.statistics, strata_of(counted.labels), scorer.metrics, compared, RESAMPLES)
    scored = [structs.replace(system, strata=scores[system.name]) for system in described]
    unanswered = len(counted.unanswered)
    evaluation = Evaluation(
        version=EVALUATION_VERSION,
        test_set=structs.replace(test_set, rows=test_set.rows - unanswered, unanswered=unanswered),
        metrics=_metric_rows(scorer),
        systems=scored,
        claim=claim_of(scored),
        seed=SEED,
        resamples=RESAMPLES,
        versions={"saturi": __version__, **scorer.versions()},
        notes=list(given.notes),
    )
    write_scores(folder, evaluation)
    return evaluation


@contextmanager
def _spool(folder: Path) -> Iterator[BinaryIO]:
    """Yield a file of no name in *folder*."""
    with ExitStack() as stack:
        with storage_errors(folder, 0):
            file = stack.enter_context(TemporaryFile(dir=folder))
        yield file


def _reported(rows: Iterator[TestRow], total: int, at_once: int, report: Reporter) -> Iterator[TestRow]:
    """Yield *rows*, and report how many are scored whenever *at_once* more are asked for."""
    for number, row in enumerate(rows):
        if number % at_once == 0:
            report(Progress("scoring", number, total))
        yield row


def _require_libraries() -> None:
    """
    Return if the libraries of the metrics are installed, and can be loaded.

    Raises:
        OptionError: They are not.
        ExhaustedError: The limit of the address space is too low for them.
    """
    require_address_space("an evaluation", _METRICS_BYTES)
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        problem = f"the package {missing[0].replace('_', '-')} is not installed"
        raise OptionError("evaluate", problem, "run `pip install 'saturi[evaluate]'`")


def _rows(build: FinishedBuild | None, options: EvaluateOptions) -> Rows:
    if options.file is not None or build is None:
        return FileRows(options.file or Path(), build)
    return BuildRows(build, options.split)


def _open_journal(folder: Path) -> Journal:
    """Return the journal in *folder*, with what the evaluations beside it were answered."""
    with ExitStack() as unless_opened:
        journal = unless_opened.enter_context(Journal(folder / JOURNAL))
        for path in sorted(folder.parent.glob(f"*/{JOURNAL}")):
            if path.parent != folder:
                journal.adopt(path)
        unless_opened.pop_all()
    return journal


def _terms_accepted(file: Path | None) -> bool:
    """Return whether the terms of the data were agreed to when something was submitted, by the ledger *file*."""
    if file is None or not file.exists():
        return False
    with read_ledger(file) as ledger:
        return ledger.terms_accepted()


def _described(system: System, bill: SystemBill, usage: Usage) -> SystemScores:
    account = system.account
    return SystemScores(
        name=system.name,
        kind=system.kind,
        role=system.role,
        base=system.base,
        provider=None if account is None else account.provider.name,
        base_url=None if account is None else account.base_url,
        asked=bill.questions,
        known=bill.known,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        usd=usage.usd,
    )


def _metric_rows(scorer: "Scorer") -> list[MetricRow]:
    return [
        MetricRow(name=metric.name, title=metric.title, better=metric.better, signature=metric.signature)
        for metric in scorer.metrics
    ]
