"""
The order of a download: lists, plan, agreement, space, approval, then the archives, two at once, each to a whole file.

A finished archive is never touched again: the next run compares it with its hash and passes it over.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

from saturi.etl.download.attempts import Attempts
from saturi.etl.download.hub import Hub
from saturi.etl.download.news import News, Planned, Remark, Reporter
from saturi.etl.download.options import FetchOptions, Patience
from saturi.etl.download.plan import changed, chosen_in, ignore, lists_of, plan_of, remarks_on
from saturi.etl.download.record import Record, claimed
from saturi.etl.download.transfer import Transfer
from saturi.etl.download.whole import hash_of
from saturi.etl.errors import DiskFullError, EtlError, OptionError, ProviderError, RefusedError, SpendingError
from saturi.etl.output.files import sweep
from saturi.etl.settings.paths import folder_of
from saturi.schemas.fetch import FetchedArchive, FetchPlan, FetchResult, ListedArchive

AT_ONCE = 2
"""Transfers: AI-Hub limits each, and two are what users have measured."""

_OF_ONE = (ProviderError, RefusedError, OptionError)
"""What AI-Hub answers to the request for one archive; the others may come all the same."""


def fetch(
    data_sets: str | int | Iterable[str | int],
    to: str | Path,
    options: FetchOptions | None = None,
    *,
    agree: Callable[[], bool] | None = None,
    report: Reporter = ignore,
    patience: Patience | None = None,
) -> FetchResult:
    """
    Download archives of *data_sets* from AI-Hub to *to*, and return those that are there: zips that `build` reads.

    Args:
        data_sets: Numbers, or parts of names; one or several.
        to: The folder of the data; made where it is missing.
        options: What is asked for, and what is agreed to.
        agree: Whether the terms are agreed to, asked once for a folder; None for what `accept_terms` of *options* says.
        report: Takes news.
        patience: Limits of time and attempts.

    Raises:
        OptionError: A data set does not exist, the key is missing or wrong, or nothing is like `match`.
        EmptyCorpusError: No archive of labels is listed.
        EligibilityError: There is no approval, it has expired, or AI-Hub does not send to this address.
        SpendingError: The terms are not agreed to.
        ProviderError: AI-Hub does not answer, or does not send an archive whole; the others are there.
        StorageError: The disk is full, or files cannot be written, or are not as they were fetched.
    """
    folder, options = folder_of(to, "--to").absolute(), options or FetchOptions()
    report = _one_at_a_time(report)
    attempts = Attempts(patience or Patience(), report)
    with Hub(options, attempts) as hub:
        lists = lists_of(hub, data_sets, options, report)
        chosen = chosen_in(lists, options)
        hub.refuse_without_key()  # after what is wrong with the arguments: the list needs no key
        with claimed(folder) as record:
            plan = plan_of(lists, chosen, folder, record)
            for sentence in remarks_on(lists, chosen, record):
                report(Remark(sentence))
            report(Planned(plan))
            _agree(record, options, agree)
            present = _verified(plan, chosen, folder, record, report)
            _refuse_full(plan, folder)
            _refuse_unapproved(plan, hub)
            for place in {(folder / archive.path).parent for archive in plan.archives}:
                sweep(place)  # after a run that was killed
            fetched = _transfer(plan.archives, folder, record, hub, attempts)
    rows = {row.path: row for row in (*present, *fetched)}
    return FetchResult(
        archives=tuple(rows[archive.path] for archive in chosen), fetched=len(fetched), present=len(present)
    )


def _one_at_a_time(report: Reporter) -> Reporter:
    lock = threading.Lock()

    def locked(news: News) -> None:
        with lock:
            report(news)

    return locked


def _agree(record: Record, options: FetchOptions, agree: Callable[[], bool] | None) -> None:
    if record.agreed:
        return
    if not (options.accept_terms if agree is None else agree()):
        problem = "AI-Hub's terms of use are not agreed to"
        raise SpendingError("fetch", problem, "read them above or in docs/fetch.md, and add --accept-terms")
    record.agree()


def _verified(
    plan: FetchPlan, chosen: Sequence[ListedArchive], to: Path, record: Record, report: Reporter
) -> list[FetchedArchive]:
    """Return what is known of those *chosen* that are not in *plan*: they were fetched, and are still the same."""
    missing = {archive.path for archive in plan.archives}
    rows = [record.get(archive.path) for archive in chosen if archive.path not in missing]
    present = [row for row in rows if row is not None]
    if present:
        total = sum(row.bytes for row in present)
        report(Remark(f"comparing {len(present)} archives, {total:,} bytes, with their SHA-256"))
    for row in present:
        if hash_of(to / row.path) != row.sha256:
            raise changed(to / row.path)
    return present


def _refuse_full(plan: FetchPlan, to: Path) -> None:
    if plan.archives and plan.needed_bytes > plan.free_bytes:
        raise DiskFullError.of(to, plan.needed_bytes, plan.free_bytes)


def _refuse_unapproved(plan: FetchPlan, hub: Hub) -> None:
    """Ask for the first bytes of the smallest archive of each data set, before anything that takes long."""
    smallest: dict[int, ListedArchive] = {}
    for archive in sorted(plan.archives, key=lambda archive: -archive.bytes):
        smallest[archive.data_set] = archive
    for data_set, archive in sorted(smallest.items()):
        hub.probe(data_set, archive.file_number)


def _transfer(
    archives: Sequence[ListedArchive], to: Path, record: Record, hub: Hub, attempts: Attempts
) -> list[FetchedArchive]:
    """Return *archives*, which are there afterwards; where AI-Hub does not send one, the others are, before its error is raised."""
    rows: list[FetchedArchive] = []
    given_up: list[EtlError] = []
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fetch")
    try:
        running = {pool.submit(Transfer(archive, to, hub, attempts).carry_out, record) for archive in archives}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                try:
                    rows.append(future.result())
                except _OF_ONE as error:
                    given_up.append(error)
                    attempts.report(Remark(str(error)))
    finally:
        attempts.stop()
        hub.stop()
        pool.shutdown(cancel_futures=True)
    if given_up:
        raise given_up[0]
    return rows
