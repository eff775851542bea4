"""`build`: label archives to chunks and a manifest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from etl.console.commands.parameters import Bytes, Dimensions, Share, config_option
from etl.console.output import consoles, print_json, resumable
from etl.settings.options import BuildOptions
from schemas.cleaning import Pii
from schemas.terms import Conflicts, Dedup, Dimension, Direction, Region, Source, SpeechType, Unit

FALLBACK_CORPUS = "data"
BALANCE = "region|speech_type[:N]"
_DEFAULTS = BuildOptions().as_json()


def _option(name: str, help: str, **more: Any) -> Callable[..., Any]:  # noqa: A002 - click's own words and types
    """Return the option of the field *name* of `BuildOptions`, with its default."""
    default = more.pop("default", _DEFAULTS[name])
    return click.option(
        more.pop("flag", "--" + name.replace("_", "-")), name, default=default, show_default=True, help=help, **more
    )


@click.command()
@click.argument("corpus", nargs=-1, type=click.Path(path_type=Path))
@config_option("build")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Folder for the result."
)
@click.option("--workers", type=int, help="Number of processes.  [default: one a processor]")
@click.option("--stage", type=click.Path(path_type=Path), help="Folder for decoded segments.  [default: OUT/stage]")
@_option("unit", "What one example is.", type=click.Choice([unit.value for unit in Unit]))
@_option("source", "Which transcription is the dialect.", type=click.Choice([source.value for source in Source]))
@_option("direction", "What a model learns to write.", type=click.Choice([way.value for way in Direction]))
@_option(
    "region", "Region to keep; may be repeated.", type=click.Choice([region.value for region in Region]), multiple=True
)
@_option(
    "speech_type",
    "Speech type to keep; may be repeated.",
    type=click.Choice([kind.value for kind in SpeechType]),
    multiple=True,
)
@_option("system_prompt", "Instruction before every pair, {region} and {speech_type} filled in; empty for none.")
@_option("paraphrase", "Another instruction; may be repeated, each pair gets one by its hash.", multiple=True)
@_option("clean", "Mend or drop what transcribers left in the texts; [clean] in etl.toml.", flag="--clean/--no-clean")
@_option("pii", "What becomes of personal data.", type=click.Choice([pii.value for pii in Pii]))
@_option("identical", "Pairs of equal texts: keep, drop, or the share to keep.", type=Share("keep", "drop"))
@_option("min_words", "Fewest words of either text.  [default: none]", type=int)
@_option("max_words", "Most words of either text.  [default: none]", type=int)
@_option("min_chars", "Fewest characters of either text.  [default: none]", type=int)
@_option("max_chars", "Most characters of either text.  [default: none]", type=int)
@_option("max_length_ratio", "Most characters of one text for one of the other.  [default: none]", type=float)
@_option("dedup", "What a shard holds only once.", type=click.Choice([what.value for what in Dedup]))
@click.option("--no-dedup", is_flag=True, help="The same as --dedup none.")
@_option("conflicts", "Sources with several targets.", type=click.Choice([what.value for what in Conflicts]))
@_option("max_per_script", "Most examples of a script in a shard.  [default: none]", type=int)
@_option("speaker_max", "Most examples of a speaker in a shard.  [default: none]", type=int)
@_option("balance", "Cut down to the smallest region or speech type, or to a number.  [default: none]", metavar=BALANCE)
@_option("sample", "Number of examples to choose, from every stratum its share.  [default: all]", type=int)
@_option("sample_per_shard", "Number of examples to choose of each shard.  [default: all]", type=int)
@_option("shard_by", "What shards are apart by beside the split; 'split' for nothing.", type=Dimensions())
@click.option(
    "--merge", type=click.Choice([way.value for way in Dimension]), multiple=True, help="Leave this out of --shard-by."
)
@_option(
    "validation", "Share of speakers and scripts held out, 0 for none, or AI-Hub's own folders.", type=Share("official")
)
@_option("tokens", "Count the tokens of every example.", flag="--tokens/--no-tokens")
@_option("max_chunk_bytes", "Cap on one chunk: 500KB, 100MB, 64MiB.", type=Bytes())
@_option("max_chunk_examples", "Cap on the examples of one chunk.  [default: none]", type=int)
@_option("max_member_bytes", "Cap on one label file, inflated.", type=Bytes())
@_option("max_ratio", "Cap on inflated over deflated bytes, above 1 MiB.", type=float)
@_option("max_entries", "Cap on the entries of one archive.", type=int)
@_option(
    "max_unknown", "Share of label files without region or speech type above which the exit code is 1.", type=float
)
@_option("max_rejects", "Share of rejected label files above which the exit code is 1.", type=float)
@_option(
    "allow_bad_archives",
    "Go on past archives that cannot be opened or hold no label file.",
    flag="--allow-bad-archives/--no-allow-bad-archives",
)
@click.option("--dry-run", is_flag=True, help="Only read the directories of the archives; write nothing.")
@click.option("--profile", is_flag=True, help="Also show where the time went, stage by stage.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest's counts on stdout, for machines.")
@click.pass_context
def build(ctx: click.Context, /, **given: Any) -> None:
    """
    Turn CORPUS (folders, zips, split zips as downloaded) into chunks and a manifest in OUT.

    Without CORPUS: the paths in etl.toml, else ./data. Run it again after a crash, or with other options: what was read
    once is not read again.
    """
    paths = given.pop("corpus") or tuple(map(Path, ctx.meta["config"].corpus.paths)) or (Path(FALLBACK_CORPUS),)
    out, workers, stage = given.pop("out"), given.pop("workers"), given.pop("stage")
    as_json, dry_run, profile = given.pop("as_json"), given.pop("dry_run"), given.pop("profile")
    merged = given.pop("merge")
    given["shard_by"] = [name for name in given["shard_by"] if name not in merged]
    if given.pop("no_dedup"):
        if ctx.get_parameter_source("dedup") is ParameterSource.COMMANDLINE:
            raise click.UsageError("--no-dedup: --dedup is given, too; give one of them")
        given["dedup"] = Dedup.NONE
    options = BuildOptions(**given, clean_rules=ctx.meta["config"].clean)
    if dry_run:
        _dry_run(paths, options, as_json=as_json)
        return
    from etl.console.screens.build import show_build, show_profile, watching
    from etl.pipeline.build import build as run

    console, errors = consoles()
    resumable()
    with watching(errors) as watcher:
        result = run(paths, out, options, workers=workers, stage=stage, watcher=watcher, profile=profile)
    if as_json:
        print_json(result.manifest.counts)
    else:
        show_build(console, result)
    if profile:
        show_profile(errors, result.facts)
    for warning in result.warnings:
        errors.print(f"Note: {warning}", style="yellow", soft_wrap=True, markup=False)
    for failure in result.failures:
        errors.print(f"Not a success: {failure}", style="red", soft_wrap=True, markup=False)
    ctx.exit(1 if result.failures else 0)


def _dry_run(paths: tuple[Path, ...], options: BuildOptions, *, as_json: bool) -> None:
    from etl.console.screens.build import show_scans
    from etl.pipeline.build import dry_run

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
