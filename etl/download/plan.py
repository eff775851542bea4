"""The plan of a download: which archives there are, which are asked for, which are there, and what the rest takes."""

import re
import shutil
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from saturi.etl.corpus.names import is_label_archive
from saturi.etl.download.attempts import Attempts
from saturi.etl.download.data_sets import numbers_of
from saturi.etl.download.hub import Hub
from saturi.etl.download.news import Remark, Reporter
from saturi.etl.download.options import FetchOptions, Patience
from saturi.etl.download.record import FOLDER, Record
from saturi.etl.download.tree import ListedFile
from saturi.etl.errors import EmptyCorpusError, ForeignFolderError, OptionError, StorageError
from saturi.etl.output.files import is_link, is_there
from saturi.etl.settings.paths import folder_of
from saturi.schemas.fetch import DataSetList, FetchPlan, ListedArchive

BYTES_A_SECOND = 2_000_000
"""The usual speed of one transfer, as users have measured it (2.2 MB/s, two at once 2.3 and 1.7)."""

PART_BYTES = 1 << 30
"""Size of the parts in which AI-Hub sends an archive."""


def ignore(_: object) -> None:
    """Report nothing."""


def list_archives(
    data_sets: str | int | Iterable[str | int],
    options: FetchOptions | None = None,
    *,
    report: Reporter = ignore,
    patience: Patience | None = None,
) -> list[DataSetList]:
    """
    Return what AI-Hub lists for *data_sets*; nothing is downloaded. Without a key the sizes are rounded.

    Args:
        data_sets: Numbers, or parts of names; one or several.
        options: Generation, address, file of the key.
        report: Takes news.
        patience: Limits of time and attempts.

    Raises:
        OptionError: A data set does not exist, or the key cannot be used.
        EligibilityError: AI-Hub refuses to answer.
        ProviderError: It does not answer.
    """
    options = options or FetchOptions()
    attempts = Attempts(patience or Patience(), report)
    with Hub(options, attempts) as hub:
        return lists_of(hub, data_sets, options, report)


def plan_fetch(
    data_sets: str | int | Iterable[str | int],
    to: str | Path,
    options: FetchOptions | None = None,
    *,
    report: Reporter = ignore,
    patience: Patience | None = None,
) -> FetchPlan:
    """
    Return what `fetch` would download to *to*; nothing is downloaded or written.

    Args:
        data_sets: Numbers, or parts of names; one or several.
        to: The folder of the data.
        options: What is asked for.
        report: Takes news.
        patience: Limits of time and attempts.

    Raises:
        OptionError: A data set does not exist, or nothing in it is like `match`.
        EmptyCorpusError: No archive of labels is listed.
        EligibilityError: AI-Hub refuses to answer.
        ProviderError: It does not answer.
        StorageError: The record of what is there cannot be read, or another file has the name of an archive.
    """
    folder, options = folder_of(to, "--to"), options or FetchOptions()
    attempts = Attempts(patience or Patience(), report)
    with Hub(options, attempts) as hub:
        lists = lists_of(hub, data_sets, options, report)
    chosen, record = chosen_in(lists, options), Record(folder)
    plan = plan_of(lists, chosen, folder, record)
    for sentence in remarks_on(lists, chosen, record):
        report(Remark(sentence))
    return plan


def lists_of(
    hub: Hub, data_sets: str | int | Iterable[str | int], options: FetchOptions, report: Reporter
) -> list[DataSetList]:
    """Return the lists of *data_sets*, with exact sizes where AI-Hub tells them."""
    names = (data_sets,) if isinstance(data_sets, str | int) else data_sets
    lists = []
    for number in numbers_of(names, options.generation):
        tree, inventory = hub.tree(number), hub.inventory(number)
        archives: dict[str, ListedArchive] = {}
        for file in tree.files:
            path = _path_of(file, archives)
            size = inventory.sizes.get(file.number)
            if size == 0 and file.most_bytes != 0:  # where a size is missing, there may be a 0
                size = None
            archives[path.casefold()] = ListedArchive(
                data_set=number,
                file_number=file.number,
                path=path,
                bytes=file.most_bytes or 0 if size is None else size,
                rounded=size is None,
                labels=is_label_archive(path) and path[-4:].lower() == ".zip",
            )
        listed = tuple(archives.values())
        lists.append(
            DataSetList(data_set=number, title=tree.title, archives=listed, approval_ends=inventory.approval_ends)
        )
        if tree.unread:
            problem = f"{tree.unread} rows of AI-Hub's list name no file that can be stored"
            report(Remark(f"data set {number}: {problem}, and are left out"))
    return lists


def remarks_on(lists: Sequence[DataSetList], chosen: Sequence[ListedArchive], record: Record) -> Iterator[str]:
    """Yield a sentence for whatever about a plan is not as exact, or not as new, as it might be."""
    for listed in lists:
        if any(archive.rounded for archive in listed.archives):
            yield f"data set {listed.data_set}: AI-Hub tells rounded sizes only, so that totals are upper limits"
    for archive in chosen:
        row = record.get(archive.path)
        if row is not None and (
            archive.file_number != row.file_number or (archive.bytes != row.bytes and not archive.rounded)
        ):
            yield f"{archive.path}: AI-Hub has another one now; to have that, move yours elsewhere and fetch again"


def _path_of(file: ListedFile, taken: dict[str, ListedArchive]) -> str:
    """Return the place of *file* below the folder of the data, which no other has."""
    first, *others = (*file.folders, file.name)
    if first.casefold() == FOLDER:
        first = f"{first}_"
    path = "/".join((first, *others))
    while path.casefold() in taken and taken[path.casefold()].file_number != file.number:
        stem, dot, ending = path.rpartition(".")
        path = f"{stem or ending} ({file.number}){dot}{ending if stem else ''}"
    return path


def chosen_in(lists: Sequence[DataSetList], options: FetchOptions) -> list[ListedArchive]:
    """
    Return the archives that *options* ask for: those of labels, or those that are like `match`.

    Raises:
        OptionError: Nothing is like `match`, or two data sets have an archive of the same path.
        EmptyCorpusError: There is none of labels.
    """
    archives = [archive for listed in lists for archive in listed.archives]
    patterns = [_pattern(text) for text in options.match]
    if not patterns:
        labels = [archive for archive in archives if archive.labels]
        if not labels:
            names = ", ".join(f"data set {listed.data_set}" for listed in lists)
            raise EmptyCorpusError(names, "no archive of labels is listed", "see --list, and choose by --match")
        return _apart(labels)
    chosen = [
        archive
        for archive in archives
        if any(
            pattern.fullmatch(text) for pattern in patterns for text in (archive.path, archive.path.rpartition("/")[2])
        )
    ]
    if not chosen:
        raise OptionError("--match", f"no archive is like {' or '.join(options.match)}", "see --list for their names")
    return _apart(chosen)


def _apart(archives: list[ListedArchive]) -> list[ListedArchive]:
    """Return *archives*, no two of which have one path on any system."""
    taken: dict[str, ListedArchive] = {}
    for archive in archives:
        other = taken.setdefault(archive.path.casefold(), archive)
        if other is not archive:
            problem = f"{other.data_set} and {archive.data_set} both have {archive.path}"
            raise OptionError("DATA_SET", problem, "fetch each by itself, with its own --to")
    return archives


def _pattern(text: str) -> re.Pattern[str]:
    """Return a pattern in which `*` is any text and `?` any sign; brackets are brackets, since names of archives have them."""
    normal = re.escape(unicodedata.normalize("NFC", text))
    return re.compile(normal.replace(r"\*", ".*").replace(r"\?", "."), re.IGNORECASE | re.DOTALL)


def plan_of(lists: Sequence[DataSetList], chosen: Sequence[ListedArchive], to: Path, record: Record) -> FetchPlan:
    """
    Return the plan for the *chosen* archives of *lists*, those left out that *record* says are there.

    Raises:
        ForeignFolderError: Another file has the name of one, or a link leads elsewhere.
        StorageError: One that was fetched has another size now.
    """
    missing = [archive for archive in chosen if not is_present(archive, to, record)]
    total = sum(archive.bytes for archive in missing)
    return FetchPlan(
        archives=tuple(missing),
        present=len(chosen) - len(missing),
        bytes=total,
        rounded=any(archive.rounded for archive in missing),
        seconds=round(total / BYTES_A_SECOND),
        needed_bytes=total + min(PART_BYTES, max((archive.bytes for archive in missing), default=0)),
        free_bytes=_free_bytes(to),
        approvals={str(one.data_set): one.approval_ends for one in lists if one.approval_ends is not None},
    )


def is_present(archive: ListedArchive, to: Path, record: Record) -> bool:
    """
    Return whether *archive* was fetched, by the record and the size of the file.

    Raises:
        ForeignFolderError: Another file has its name, also one of another data set, or a link leads elsewhere.
        StorageError: It has another size now.
    """
    path, row = to / archive.path, record.get(archive.path)
    for place in (path, *path.parents):
        if place == to:
            break
        if is_link(place):
            raise ForeignFolderError(place, "a link to elsewhere", "remove the link, or give another --to")
    if not is_there(path):
        return False
    if row is not None and row.data_set != archive.data_set:
        problem = f"it was fetched from data set {row.data_set}, and {archive.data_set} has one of the same path"
        raise ForeignFolderError(path, problem, "give another --to")
    if row is None:
        advice = "move it elsewhere; where it is what aihubshell left, `saturi fetch --repair` joins parts beside it"
        raise ForeignFolderError(path, "it is there, and `fetch` did not write it", advice)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise StorageError(path, f"cannot be read ({error.strerror or error})", "check its permissions") from error
    if size != row.bytes:
        raise changed(path)
    return True


def changed(path: Path) -> StorageError:
    """Return the error for a file that is not what was fetched."""
    return StorageError(path, "not as it was fetched", "move it elsewhere, and run the same command again")


def _free_bytes(folder: Path) -> int:
    """Return the free space on the disk of *folder*, or where it would be."""
    for place in (folder, *folder.absolute().parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return 0
