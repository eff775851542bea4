"""The command line: options to one library call, its result to the terminal. The only module that prints or exits."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec

from etl.config import DEFAULT_NAME, read_config
from etl.errors import EtlError, OptionError, StorageError
from etl.options import BuildOptions, parse_bytes
from etl.version import __version__
from schemas.config import Config
from schemas.terms import Region, Source, SpeechType, Unit

if TYPE_CHECKING:
    from rich.console import Console

INTERRUPTED = 130
FALLBACK_CORPUS = "data"
_DEFAULTS = BuildOptions().as_json()


class Bytes(click.ParamType[int]):
    """A number of bytes, with or without a unit."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number of bytes, or fail with a sentence."""
        try:
            return value if isinstance(value, int) else parse_bytes(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Validation(click.ParamType[float | Literal["official"]]):
    """A share of the keys, or `official`."""

    name = "share|official"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | Literal["official"]:
        """Return the share, or `official`, or fail with a sentence."""
        if value == "official":
            return "official"
        try:
            return float(value)
        except (TypeError, ValueError):
            self.fail(f"{value!r} is neither a share like 0.05 nor 'official'", param, ctx)


def _read_defaults(ctx: click.Context, _param: click.Parameter, path: Path | None) -> Path | None:
    """Put what the configuration file says under the command line's options."""
    if path is None and Path(DEFAULT_NAME).exists():
        path = Path(DEFAULT_NAME)
    config = read_config(path) if path is not None else Config()
    said: dict[str, Any] = msgspec.to_builtins(config.build)
    ctx.default_map = {name: value for name, value in said.items() if value is not None}
    ctx.meta["paths"] = tuple(map(Path, config.corpus.paths))
    return path


def _option(name: str, help: str, **more: Any) -> Callable[..., Any]:  # noqa: A002 - click's own words and types
    """Return the option of the field *name* of `BuildOptions`, with its default."""
    default = more.pop("default", _DEFAULTS[name])
    return click.option(
        more.pop("flag", "--" + name.replace("_", "-")), name, default=default, show_default=True, help=help, **more
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, message="saturi %(version)s")
def cli() -> None:
    """Turn AI-Hub's Korean dialect label archives into chat fine-tuning data, every label file accounted for."""


@cli.command()
@click.argument("corpus", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    callback=_read_defaults,
    is_eager=True,
    help="[default: etl.toml, if there]",
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Folder for the result."
)
@click.option("--workers", type=int, help="Number of processes.  [default: one a processor]")
@click.option("--stage", type=click.Path(path_type=Path), help="Folder for decoded segments.  [default: OUT/stage]")
@_option("unit", "What one example is.", type=click.Choice([unit.value for unit in Unit]))
@_option("source", "Which transcription is the input.", type=click.Choice([source.value for source in Source]))
@_option(
    "region", "Region to keep; may be repeated.", type=click.Choice([region.value for region in Region]), multiple=True
)
@_option(
    "speech_type",
    "Speech type to keep; may be repeated.",
    type=click.Choice([kind.value for kind in SpeechType]),
    multiple=True,
)
@_option("system_prompt", "Instruction before every pair; empty for none.")
@_option("dedup", "Drop a pair its shard already holds.", flag="--dedup/--no-dedup")
@_option(
    "validation", "Share of speakers and scripts held out, 0 for none, or AI-Hub's own folders.", type=Validation()
)
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
@click.option("--json", "as_json", is_flag=True, help="Print the manifest's counts on stdout, for machines.")
@click.pass_context
def build(ctx: click.Context, /, **given: Any) -> None:
    """
    Turn CORPUS (folders, zips, split zips as downloaded) into chunks and a manifest in OUT.

    Without CORPUS: the paths in etl.toml, else ./data. Run it again after a crash, or with other options: what was read
    once is not read again.
    """
    paths = given.pop("corpus") or ctx.meta["paths"] or (Path(FALLBACK_CORPUS),)
    out, workers, stage = given.pop("out"), given.pop("workers"), given.pop("stage")
    as_json, dry_run = given.pop("as_json"), given.pop("dry_run")
    given.pop("config")
    options = BuildOptions(**given)
    if dry_run:
        _dry_run(paths, options, as_json=as_json)
        return
    from etl.build import build as run
    from etl.terminal import show_build, watching

    console, errors = _consoles()
    try:
        with watching(errors) as watcher:
            result = run(paths, out, options, workers=workers, stage=stage, watcher=watcher)
    except KeyboardInterrupt:
        errors.print("Interrupted. Run the same command again: it goes on where it stopped.")
        raise SystemExit(INTERRUPTED) from None
    if as_json:
        _print_json(result.manifest.counts)
    else:
        show_build(console, result)
    for warning in result.warnings:
        errors.print(f"Note: {warning}", style="yellow", soft_wrap=True, markup=False)
    for failure in result.failures:
        errors.print(f"Not a success: {failure}", style="red", soft_wrap=True, markup=False)
    ctx.exit(1 if result.failures else 0)


def _dry_run(paths: tuple[Path, ...], options: BuildOptions, *, as_json: bool) -> None:
    from etl.build import dry_run
    from etl.terminal import show_scans

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
        _print_json(rows)
    else:
        show_scans(_consoles()[0], scans)


@cli.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the findings on stdout, for machines.")
@click.pass_context
def verify(ctx: click.Context, out: Path, *, as_json: bool) -> None:
    """Hash and count every chunk in OUT again; the exit code is 4 if one is changed, missing or extra."""
    from etl.terminal import show_verification
    from etl.verify import verify as check

    found = check(out)
    if as_json:
        _print_json(found)
    else:
        show_verification(_consoles()[0], found)
    ctx.exit(4 if found.damage else 0)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--files", type=click.IntRange(min=100), default=400, show_default=True, help="Number of label files, roughly."
)
@click.option("--seed", type=int, default=2022, show_default=True, help="Same seed, same bytes.")
def sample(folder: Path, files: int, seed: int) -> None:
    """Write a small synthetic corpus into FOLDER: the real layout, invented text, broken files included."""
    from etl.sample.corpus import write_sample

    report = write_sample(folder, files, seed)
    console, _ = _consoles()
    broken = sum(report.broken.values())
    console.print(
        f"{report.label_files} label files in {report.archives} archives, {broken} of them broken on purpose, in {folder}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def _consoles() -> tuple["Console", "Console"]:
    """Return consoles on stdout and on stderr that survive what their encoding cannot show."""
    from rich.console import Console

    # What is not a terminal has no width; tables in a file or a log should not be folded at 80 columns.
    return Console(width=None if sys.stdout.isatty() else 132), Console(stderr=True)


def _print_json(value: Any) -> None:
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2) + b"\n")
    sys.stdout.flush()


def main() -> None:
    """Run the command line: an error is one sentence on stderr and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed by who started us
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a console in cp949 cannot print everything
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"saturi: {error.format_message()}", err=True)
        code = error.exit_code
    except (EtlError, FileExistsError) as error:
        click.echo(f"saturi: {error}", err=True)
        code = error.exit_code if isinstance(error, EtlError) else OptionError.exit_code
    except OSError as error:  # what nobody foresaw of files: in one sentence, too
        click.echo(
            f"saturi: {error.filename or 'a file'}: {error.strerror or error}; check the path and its permissions",
            err=True,
        )
        code = StorageError.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    main()
