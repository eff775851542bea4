"""`export`: a build for what trains open models."""

from pathlib import Path

import click

from etl.console.commands.parameters import PATH
from etl.console.output import consoles
from etl.exports.base_models import DEFAULT_BASE_MODEL
from etl.exports.targets import Target


@click.command()
@click.argument("out", type=PATH)
@click.option("--to", required=True, type=click.Choice([target.value for target in Target]), help="What will read it.")
@click.option(
    "--base-model", default=DEFAULT_BASE_MODEL, show_default=True, help="Model to tune, in the configuration."
)
def export(out: Path, to: str, base_model: str) -> None:
    """Write a ready configuration, or a dataset folder, with a dataset card, beside the chunks of the build in OUT."""
    from etl.console.lines import print_line
    from etl.exports.export import write_export

    exported = write_export(out, to, base_model)
    screen = consoles()[0]
    print_line(screen, f"{exported.folder}: see its README.md")
    for note in exported.notes:
        print_line(screen, note)
    for step in exported.steps:
        print_line(screen, f"{step.title}: {step.command}")
