"""The page: a report as one HTML file that needs nothing else: no script, no address, every name in it as text."""

import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from saturi.etl.errors import OptionError, StorageError
from saturi.etl.output.files import write_whole
from saturi.etl.output.printable import printable
from saturi.etl.reports.outline import notes, outline, title
from saturi.etl.reports.sections import MOST_CELL, Figure
from saturi.etl.reports.words import LANGUAGES, Language, Words
from saturi.etl.runtime.memory import require_address_space
from saturi.etl.settings.paths import path_of
from saturi.etl.settings.regular import open_regular
from saturi.schemas.report import Report

if TYPE_CHECKING:
    from markupsafe import Markup

PAGE = "report.html"
_CHARTS_BYTES = 66 << 30
"""Address space that the engine of vl-convert (V8) reserves, of which it uses 0.1 GB, and without which it ends the process."""

MOST_BYTES = 300_000
"""A page is sent by mail, and read on a telephone."""

_SHORTER = (40, 20)  # signs of a name in a table, where all of them together are too long
_MARK = b'<meta name="generator" content="saturi '
_BEGINNING_BYTES = 1_000  # of a page, in which the mark stands
_ROOM = resources.files("saturi.etl.reports")


def write_page(report: Report, file: str | Path, language: Language = "en") -> None:
    """
    Write *report* as a page to *file*.

    Raises:
        OptionError: There is no such language, the path is empty, or the libraries of the extra `report` are not installed.
        StorageError: It cannot be written, or *file* is something else than a page.
    """
    path = page_path(file)
    write_whole(path, [make_page(report, language).encode()])


def require_page(file: str | Path) -> None:
    """
    Return if a page can be made, and may be written to *file*; so that nobody waits for a page that cannot be.

    Raises:
        OptionError: The libraries of the extra `report` are not installed, or the path is empty.
        StorageError: *file* is something else than a page.
    """
    require_libraries()
    page_path(file)


def page_path(file: str | Path) -> Path:
    """
    Return where the page that is named *file* lies, links followed: there is none yet, or an empty file, or a page.

    Raises:
        OptionError: The path is empty, or a dash.
        StorageError: It is a folder, a device or a file of another kind, which stays as it is.
    """
    named = path_of(file, "--to")
    if str(named) == "-":
        raise OptionError("--to", "'-' names no file", "name one; `--terminal` prints a report")
    path = Path(os.path.realpath(named))
    advice = "name another file; `--terminal` prints a report"
    try:
        with open_regular(named) as there:
            beginning = there.read(_BEGINNING_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return path
    except OSError as error:
        raise StorageError(named, f"no page can be written there ({error.strerror or error})", advice) from error
    if beginning and _MARK not in beginning:
        raise StorageError(named, "it is there, and is no page of Saturi", advice)
    return path


def require_libraries() -> None:
    """
    Return if the libraries that pages need are installed, and can be loaded.

    Raises:
        OptionError: They are not.
        ExhaustedError: The limit of the address space is too low for them.
    """
    require_address_space("a page", _CHARTS_BYTES)
    try:
        import jinja2  # noqa: F401, PLC0415 - an extra
        import vl_convert  # noqa: F401, PLC0415 - an extra
    except ModuleNotFoundError as error:
        advice = "run `pip install 'saturi[report]'`, or add --terminal"
        raise OptionError("report", f"the package {error.name} is not installed", advice) from error


def make_page(report: Report, language: Language) -> str:
    """
    Return *report* as a page of at most `MOST_BYTES`: the longer the names in it, the shorter they are cut.

    Raises:
        OptionError: There is no such language, or the libraries of the extra `report` are not installed.
    """
    if language not in LANGUAGES:
        raise OptionError("--lang", f"{language!r} is none of {', '.join(LANGUAGES)}", "give one of them")
    require_libraries()
    for most in (MOST_CELL, *_SHORTER):
        page = _render(report, language, most)
        if len(page.encode()) <= MOST_BYTES:
            break
    return page


def _render(report: Report, language: Language, most: int) -> str:
    import jinja2  # noqa: PLC0415 - an extra

    words = Words(language)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, finalize=_finalized)
    return environment.from_string((_ROOM / "page.html.jinja").read_text(encoding="utf-8")).render(
        language=language,
        title=title(report, language),
        style=_style(),
        contents=words("Contents", "차례"),
        numbers=words("Numbers", "숫자로 보기"),
        notes=notes(report, language),
        sections=outline(report, language, most),
        draw=_draw,
        version=report.version,
        footer=words(
            "No text of the corpus, no name of a label file and no speaker is on this page.",
            "이 문서에는 말뭉치의 글, 라벨 파일의 이름, 화자가 없습니다.",
        )
        if report.texts is None or not report.texts.words
        else words("This page holds words of the corpus.", "이 문서에는 말뭉치의 글이 있습니다."),
    )


def _style() -> "Markup":
    from markupsafe import Markup  # noqa: PLC0415 - of an extra

    return Markup((_ROOM / "page.css").read_text(encoding="utf-8"))  # noqa: S704 - our own


def _draw(figure: Figure, section: int, number: int) -> "Markup":
    from saturi.etl.reports.drawing import svg  # noqa: PLC0415 - of an extra

    return svg(figure.chart or {}, f"c{section}-{number}", figure.title, figure.description)


def _finalized(value: object) -> object:
    """Return a text with escapes in the place of what is no sign, so that no name turns a line around or cannot be encoded."""
    return printable(value) if type(value) is str else value
