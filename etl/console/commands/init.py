"""`init`: a first `etl.toml`."""

from pathlib import Path

import click

from saturi.etl.console.help import Command
from saturi.etl.console.output import consoles
from saturi.etl.console.paths import PATH

EXAMPLES = (
    ("saturi init", "Writes etl.toml, which every command here reads."),
    ("saturi init jeju.toml", "Another file, for --config jeju.toml."),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("file", type=PATH, default="etl.toml")
def init(file: Path) -> None:
    """Write FILE (etl.toml by default) with every option, its default and its range, commented out; nothing is overwritten."""
    from saturi.etl.console.lines import print_line
    from saturi.etl.formats.template import init as run

    print_line(consoles()[0], f"{run(file)}: take the # off a line to set it")
