"""`build`: label archives to chunks and a manifest."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from saturi.etl.console.commands.declared import declared_options
from saturi.etl.console.commands.parameters import Term, config_option, corpus_of
from saturi.etl.console.help import Command
from saturi.etl.console.output import consoles, print_json, resumable, typed_without
from saturi.etl.console.paths import LOCATION
from saturi.etl.errors import OptionError
from saturi.etl.settings.declaration import declarations
from saturi.etl.settings.options import BuildOptions, ExecutorName, RunOptions
from saturi.etl.storage.location import Location
from saturi.schemas.inspection import ScannedArchive
from saturi.schemas.terms import Dedup, Dimension

if TYPE_CHECKING:
    from saturi.etl.runtime.executor import ExecutorMaker

GROUPS = {
    "Corpus": ("--region", "--speech-type", "--unit", "--source", "--max-member-bytes", "--max-ratio", "--max-entries"),
    "Choose": (
        "--identical",
        "--min-words",
        "--max-words",
        "--min-chars",
        "--max-chars",
        "--max-length-ratio",
        "--dedup",
        "--no-dedup",
        "--conflicts",
        "--max-per-script",
        "--speaker-max",
        "--balance",
        "--sample",
        "--sample-per-shard",
    ),
    "Clean": ("--clean", "--pii"),
    "Split": ("--validation", "--split-by", "--min-validation"),
    "Write": (
        "--out",
        "--direction",
        "--system-prompt",
        "--paraphrase",
        "--shard-by",
        "--merge",
        "--max-chunk-bytes",
        "--max-chunk-examples",
        "--tokens",
    ),
    "Run": (
        "--workers",
        "--executor",
        "--scheduler",
        "--stage",
        "--config",
        "--dry-run",
        "--max-rejects",
        "--max-unknown",
        "--allow-bad-archives",
        "--profile",
        "--details",
        "--report",
        "--json",
    ),
}
"""Options by the heading they are under in the help."""

EXAMPLES = (
    ("saturi build data --out out --workers 8", "All of a corpus, with 8 processes."),
    ("saturi build data --region jeju --unit sentence", "The sentences of one region."),
    ("saturi build data --dry-run", "What there is to read; nothing is written."),
)

_NO_DEDUP = click.option("--no-dedup", is_flag=True, help="The same as --dedup none.")
_MERGE = click.option("--merge", type=Term(Dimension), multiple=True, help="Leave this out of --shard-by.")


@click.command(cls=Command, groups=GROUPS, examples=EXAMPLES, waits=True)
@click.argument("corpus", nargs=-1, type=LOCATION)
@config_option("build")
@declared_options(RunOptions)
@declared_options(BuildOptions, beside={"dedup": _NO_DEDUP, "shard_by": _MERGE})
@click.option("--dry-run", is_flag=True, help="Only read the directories of the archives; write nothing.")
@click.option("--profile", is_flag=True, help="Also show where the time went, stage by stage.")
@click.option("--details", is_flag=True, help="Also show every reason, shard and, with --dry-run, archive.")
@click.option("--report", is_flag=True, help="Also write all that is known as a page, to OUT/report.html.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest's counts on stdout, for machines.")
@click.pass_context
def build(ctx: click.Context, /, **given: Any) -> None:
    """
    Turn CORPUS (folders, zips, split zips as downloaded) into chunks and a manifest in OUT.

    Without CORPUS: the paths in etl.toml, else ./data. Run it again after a crash, or with other options: what was read
    once is not read again.
    """
    paths = corpus_of(ctx, given.pop("corpus"))
    how = RunOptions(**{declared.name: given.pop(declared.name) for declared in declarations(RunOptions)})
    as_json, dry_run, profile = given.pop("as_json"), given.pop("dry_run"), given.pop("profile")
    report, details = given.pop("report"), given.pop("details")
    options = _options(ctx, given)
    if report:
        _refuse_report(how.out, dry_run=dry_run)
    if dry_run:
        _dry_run(paths, options, as_json=as_json, details=details)
        return
    from saturi.etl.console.lines import print_failure, print_next, print_note
    from saturi.etl.console.screens.build import show_build, show_profile, show_run
    from saturi.etl.console.screens.progress import watching
    from saturi.etl.pipeline.build import build as run

    console, errors = consoles()
    make_executor = _executor_maker(how, partial(print_note, errors))
    resumable()
    with watching(errors) as watcher:
        result = run(
            paths,
            how.out,
            options,
            workers=how.workers,
            stage=how.stage,
            watcher=watcher,
            make_executor=make_executor,
            profile=profile,
        )
    if as_json:
        print_json("build", result.manifest.counts, warnings=result.warnings, failures=result.failures)
    else:
        show_build(console, result, how.out, details=details)
        show_run(console, result.facts, details=details)
    if profile:
        show_profile(errors, result.facts)
    for warning in result.warnings:
        print_note(errors, warning)
    for failure in result.failures:
        print_failure(errors, failure)
    if report:
        from saturi.etl.console.commands.pages import save_report

        save_report(how.out, how.stage)
    if not (as_json or result.failures):
        print_next(console, "verify", how.out)
    ctx.exit(1 if result.failures else 0)


def _executor_maker(how: RunOptions, notify: Callable[[str], None]) -> "ExecutorMaker | None":
    """Return what makes the executor, or None for the default."""
    if how.executor == ExecutorName.PROCESS:
        return None
    from saturi.etl.runtime.cluster import dask_executor

    return partial(dask_executor, how.scheduler, workers=how.workers, notify=notify)


def _options(ctx: click.Context, given: dict[str, Any]) -> BuildOptions:
    """Return the options that are *given*, those included that are short for others."""
    merged = given.pop("merge")
    given["shard_by"] = [name for name in given["shard_by"] if name not in merged]
    if given.pop("no_dedup"):
        if ctx.get_parameter_source("dedup") is ParameterSource.COMMANDLINE:
            raise OptionError("--no-dedup", "--dedup is given, too", "give one of them")
        given["dedup"] = Dedup.NONE
    return BuildOptions(**given, clean_rules=ctx.meta["config"].clean)


def _refuse_report(out: Location, *, dry_run: bool) -> None:
    """Return if a page can be made after the build."""
    from saturi.etl.output.side import local_side
    from saturi.etl.reports.page import PAGE, require_page

    if dry_run:
        raise OptionError("--report", "nothing is built with --dry-run", "give one of them")
    require_page(local_side(out) / PAGE)


def _dry_run(paths: tuple[Location, ...], options: BuildOptions, *, as_json: bool, details: bool) -> None:
    from saturi.etl.console.lines import print_next
    from saturi.etl.console.screens.build import show_scans
    from saturi.etl.pipeline.build import dry_run

    scans = dry_run(paths, options)
    if as_json:
        rows = [
            ScannedArchive(
                archive=scan.archive.name,
                label_files=scan.label_files,
                packed_bytes=scan.packed_bytes,
                json_bytes=scan.json_bytes,
            )
            for scan in scans
        ]
        print_json("build-dry-run", rows)
    else:
        console = consoles()[0]
        show_scans(console, scans, details=details)
        print_next(console, *typed_without("--dry-run"))
