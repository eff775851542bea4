"""Lists of a provider: their rows, page after page to an end, and the file among them that is meant."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from saturi.etl.errors import NoAnswerError
from saturi.etl.providers.port import RequestError
from saturi.schemas.remote import Page, RemoteEvent, RemoteFile, RemoteJob

Row = TypeVar("Row", RemoteFile, RemoteJob, RemoteEvent)

MOST_PAGES = 1_000
"""Of one list; OpenAI's have 10,000 files or 100 jobs each."""

MOST_EVENT_PAGES = 100
"""Of the events of a job; those before are left out."""


def rows_of(
    read_page: Callable[[str | None], Page[Row]], deadline: float, most_pages: int | None = None
) -> Iterator[Row]:
    """
    Yield the rows of a list, each once; a page without a new row is the last one, even where there should be more.

    Args:
        read_page: Returns the page after a cursor.
        deadline: When the list must be at its end, by `time.monotonic`.
        most_pages: How many pages are enough; None where all are needed.

    Raises:
        RequestError: The list does not end.
    """
    seen: set[str] = set()
    after: str | None = None
    for _ in range(most_pages or MOST_PAGES):
        page = read_page(after)
        new = [row for row in page.rows if row.id not in seen]
        seen.update(row.id for row in new)
        yield from new
        after = page.after
        if after is None or not new:
            return
        if time.monotonic() > deadline:
            break
    if most_pages is None:
        raise RequestError(NoAnswerError, "no usable answer (a list that does not end)", "ask the provider why")


def pick(files: Iterable[RemoteFile], name: str, size: int) -> RemoteFile | None:
    """Return the file *name* of *size* bytes among *files* that is not broken, or None; some give no size."""
    return next(
        (file for file in files if file.name == name and file.bytes in (size, None) and file.state != "broken"), None
    )
