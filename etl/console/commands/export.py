"""`export`: a build for what trains open models."""

from pathlib import Path

import click

from etl.console.commands.parameters import PATH
from etl.console.output import consoles
from etl.exports.targets import Target
from etl.exports.training import DEFAULT_BASE_MODEL


@click.command()
@click.argument("out", type=PATH)
@click.option("--to", required=True, type=click.Choice([target.value for target in Target]), help="What will read it.")
@click.option(
    "--base-model", default=DEFAULT_BASE_MODEL, show_default=True, help="Model to tune, in the configuration."
)
def export(out: Path, to: str, base_model: str) -> None:
    """Write a ready configuration, or a dataset folder, with a dataset card, beside the chunks of the build in OUT."""
    from etl.console.lines import print_line
    from etl.exports.export import export as run

    folder = run(out, to, base_model)
    print_line(consoles()[0], f"{folder}: see its README.md")
