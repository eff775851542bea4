"""`build`: label archives to chunks and a manifest."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from saturi.etl.console.commands.declared import declared_options
from saturi.etl.console.commands.parameters import PATH, config_option
from saturi.etl.console.output import consoles, print_json, resumable
from saturi.etl.settings.options import BuildOptions, RunOptions
from saturi.schemas.terms import Dedup, Dimension

FALLBACK_CORPUS = "data"
_NO_DEDUP = click.option("--no-dedup", is_flag=True, help="The same as --dedup none.")
_MERGE = click.option(
    "--merge", type=click.Choice([way.value for way in Dimension]), multiple=True, help="Leave this out of --shard-by."
)


@click.command()
@click.argument("corpus", nargs=-1, type=PATH)
@config_option("build")
@declared_options(RunOptions)
@declared_options(BuildOptions, beside={"dedup": _NO_DEDUP, "shard_by": _MERGE})
@click.option("--dry-run", is_flag=True, help="Only read the directories of the archives; write nothing.")
@click.option("--profile", is_flag=True, help="Also show where the time went, stage by stage.")
@click.option("--report", is_flag=True, help="Also write all that is known as a page, to OUT/report.html.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest's counts on stdout, for machines.")
@click.pass_context
def build(ctx: click.Context, /, **given: Any) -> None:
    """
    Turn CORPUS (folders, zips, split zips as downloaded) into chunks and a manifest in OUT.

    Without CORPUS: the paths in etl.toml, else ./data. Run it again after a crash, or with other options: what was read
    once is not read again.
    """
    paths = given.pop("corpus") or tuple(map(Path, ctx.meta["config"].corpus.paths)) or (Path(FALLBACK_CORPUS),)
    how = RunOptions(out=given.pop("out"), workers=given.pop("workers"), stage=given.pop("stage"))
    as_json, dry_run, profile = given.pop("as_json"), given.pop("dry_run"), given.pop("profile")
    report = given.pop("report")
    merged = given.pop("merge")
    given["shard_by"] = [name for name in given["shard_by"] if name not in merged]
    if given.pop("no_dedup"):
        if ctx.get_parameter_source("dedup") is ParameterSource.COMMANDLINE:
            raise click.UsageError("--no-dedup: --dedup is given, too; give one of them")
        given["dedup"] = Dedup.NONE
    options = BuildOptions(**given, clean_rules=ctx.meta["config"].clean)
    if report:
        _refuse_report(how.out, dry_run=dry_run)
    if dry_run:
        _dry_run(paths, options, as_json=as_json)
        return
    from saturi.etl.console.lines import print_line
    from saturi.etl.console.screens.build import show_build, show_profile, watching
    from saturi.etl.pipeline.build import build as run

    console, errors = consoles()
    resumable()
    with watching(errors) as watcher:
        result = run(paths, how.out, options, workers=how.workers, stage=how.stage, watcher=watcher, profile=profile)
    if as_json:
        print_json(result.manifest.counts)
    else:
        show_build(console, result)
    if profile:
        show_profile(errors, result.facts)
    for warning in result.warnings:
        print_line(errors, f"Note: {warning}", "yellow")
    for failure in result.failures:
        print_line(errors, f"Not a success: {failure}", "red")
    if report:
        from saturi.etl.console.commands.pages import save_report

        save_report(how.out, how.stage)
    ctx.exit(1 if result.failures else 0)


def _refuse_report(out: Path, *, dry_run: bool) -> None:
    """Return if a page can be made after the build."""
    from saturi.etl.reports.page import PAGE, require_page

    if dry_run:
        raise click.UsageError("--report: nothing is built with --dry-run; give one of them")
    require_page(out / PAGE)


def _dry_run(paths: tuple[Path, ...], options: BuildOptions, *, as_json: bool) -> None:
    from saturi.etl.console.screens.build import show_scans
    from saturi.etl.pipeline.build import dry_run

    scans = dry_run(paths, options)
    if as_json:
        rows = [
            {
                "archive": s.archive.name,
                "label_files": s.label_files,
                "packed_bytes": s.packed_bytes,
                "json_bytes": s.json_bytes,
            }
            for s in scans
        ]
        print_json(rows)
    else:
        show_scans(consoles()[0], scans)
