"""`inspect`: what is there, in a corpus or in the stage of a build."""

from pathlib import Path

import click

from saturi.etl.console.commands.parameters import config_option, corpus_of
from saturi.etl.console.help import Command
from saturi.etl.console.output import consoles, print_json
from saturi.etl.console.paths import LOCATION, PATH
from saturi.etl.output.folder import MANIFEST
from saturi.etl.storage.location import Location

EXAMPLES = (
    ("saturi inspect data", "All archives of a corpus, region by region."),
    ("saturi inspect data --sample 20000", "Some label files of each archive; much sooner."),
    ("saturi inspect out --report contents.html", "The label files that a build has read, as a page."),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("corpus", nargs=-1, type=LOCATION)
@config_option("corpus")
@click.option("--sample", type=int, help="Look at so many label files, of every archive its share.  [default: all]")
@click.option("--stage", type=LOCATION, help="Folder of a build's segments, or its URL.  [default: OUT/stage]")
@click.option("--workers", "-w", type=int, help="Number of processes.  [default: one a processor]")
@click.option("--report", type=PATH, help="Also write the contents as a page to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print everything on stdout, for machines.")
@click.pass_context
def inspect(  # noqa: PLR0913 - one an option
    ctx: click.Context,
    corpus: tuple[Location, ...],
    sample: int | None,
    stage: Location | None,
    workers: int | None,
    report: Path | None,
    *,
    as_json: bool,
) -> None:
    """
    Print the contents of CORPUS, by archive, region and speech type; nothing else is written than a report.

    CORPUS may also be the folder of a finished build: then its stage is looked at, and no archive.
    """
    from saturi.etl.console.lines import print_next, print_note
    from saturi.etl.console.screens.inspect import show_inspection
    from saturi.etl.console.screens.progress import watching
    from saturi.etl.inspection.survey import inspect as run

    paths = corpus_of(ctx, corpus)
    console, errors = consoles()
    if report is not None:
        from saturi.etl.reports.page import require_page

        require_page(report)
    with watching(errors) as watcher:
        inspection = run(paths, sample=sample, stage=stage, workers=workers, watcher=watcher)
    if as_json:
        print_json("inspect", inspection)
    else:
        show_inspection(console, inspection)
    for warning in inspection.warnings:
        print_note(errors, warning)
    if report is not None:
        from saturi.etl.console.commands.pages import save_page
        from saturi.etl.reports.report import survey_report

        save_page(survey_report(inspection), report)
    if as_json:
        return
    if any(isinstance(path, Path) and (path / MANIFEST).exists() for path in corpus):
        print_next(console, "estimate", *corpus)
    else:
        print_next(console, "build", *corpus, "--out", "out")
