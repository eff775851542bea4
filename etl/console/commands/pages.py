"""Pages of reports: the language they are in by default, and the one line that says where a page lies."""

import locale
import os
from pathlib import Path

from saturi.etl.console.output import consoles
from saturi.etl.output.side import make_side
from saturi.etl.reports.page import PAGE, write_page
from saturi.etl.reports.words import Language
from saturi.etl.storage.location import Location
from saturi.schemas.report import Report


def language_here() -> Language:
    """Return the language of this user: Korean where the locale is, else English."""
    named = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    here = next((name for name in named if name), None) or locale.getlocale()[0] or ""
    return "ko" if here.lower().startswith("ko") else "en"


def save_page(report: Report, file: Path, language: Language | None = None) -> None:
    """Write *report* to *file*, in the language of this user if none is given, and say so on stderr."""
    from saturi.etl.console.lines import print_line

    write_page(report, file, language or language_here())
    print_line(consoles()[1], f"Report: {file}")


def save_report(out: Location, stage: Location | None = None, ledger: Path | None = None) -> None:
    """Write the report of the build in *out* to its local side."""
    from saturi.etl.reports.report import report

    save_page(report(out, stage=stage, ledger=ledger), make_side(out) / PAGE)
