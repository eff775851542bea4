"""`report`: all that is known of a build, on one page or in the terminal."""

from pathlib import Path

import click

from saturi.etl.console.commands.pages import language_here, save_page
from saturi.etl.console.commands.parameters import Term
from saturi.etl.console.help import Command
from saturi.etl.console.output import consoles
from saturi.etl.console.paths import LOCATION, PATH
from saturi.etl.errors import OptionError
from saturi.etl.output.side import local_side, make_side
from saturi.etl.providers.models import DEFAULT_MODEL
from saturi.etl.reports.page import PAGE, require_page
from saturi.etl.reports.words import LANGUAGES, Language
from saturi.etl.storage.location import Location

EXAMPLES = (
    ("saturi report out", "The page, as out/report.html."),
    ("saturi report out --lang ko --to report.html", "In Korean, to another file."),
    ("saturi report out --terminal", "The same facts here."),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("out", type=LOCATION)
@click.option("--to", type=PATH, help="File of the page.  [default: OUT/report.html]")
@click.option("--lang", type=Term(LANGUAGES), help="Language of the report.  [default: by the locale]")
@click.option("--terminal", is_flag=True, help="Print the same facts here, and write no page.")
@click.option("--text", is_flag=True, help="Also the most frequent changed words; else no text of the corpus is shown.")
@click.option("--model", default=DEFAULT_MODEL, show_default=True, help="Model, snapshot, or tune of either.")
@click.option("--models", type=PATH, help="Your own models.toml.")
@click.option("--stage", type=LOCATION, help="Folder of the segments, or its URL.  [default: OUT/stage]")
@click.option("--ledger", type=PATH, help="File of the ledger.  [default: ledger.sqlite in OUT]")
def report(  # noqa: PLR0913 - one an option
    *,
    out: Location,
    to: Path | None,
    lang: Language | None,
    terminal: bool,
    text: bool,
    model: str,
    models: Path | None,
    stage: Location | None,
    ledger: Path | None,
) -> None:
    """
    Write all that is known of the build in OUT as one page: corpus, flow, texts, split, price, training, evaluation.

    The page needs nothing else: it opens offline and prints. No archive is read.
    """
    from saturi.etl.providers.models import read_models
    from saturi.etl.reports.report import report as run

    if terminal and to is not None:
        raise OptionError("--to", "with --terminal no page is written", "give one of them")
    from saturi.etl.console.lines import print_line

    page = local_side(out) / PAGE if to is None else to
    if not terminal:
        require_page(page)
    result = run(out, model, models=read_models(models), stage=stage, ledger=ledger, text=text)
    if terminal:
        from saturi.etl.console.screens.report import show_report

        show_report(consoles()[0], result, lang or language_here())
    else:
        if to is None:
            make_side(out)
        save_page(result, page, lang)
        print_line(consoles()[0], f"Next: open {page} in a browser")
