"""`doctor`: whether this installation and this machine can build."""

from pathlib import Path

import click

from saturi.etl.console.help import Command
from saturi.etl.console.output import consoles, print_json
from saturi.etl.console.paths import PATH

EXAMPLES = (
    ("saturi doctor", "Versions, disk, memory, limits and keys, here."),
    ("saturi doctor out --json", "For the folder of a build, and for a script."),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("folder", type=PATH, default=".")
@click.option("--json", "as_json", is_flag=True, help="Print the findings on stdout, for machines.")
@click.pass_context
def doctor(ctx: click.Context, /, *, folder: Path, as_json: bool) -> None:
    """
    Look at this installation and this machine: disk of FOLDER (here by default), memory, speed, terminal, libraries, keys.

    Keys are never shown. The exit code is 1 if something keeps a build from running.
    """
    from saturi.etl.console.screens.doctor import show_health
    from saturi.etl.health.doctor import doctor as run

    health = run(folder)
    if as_json:
        print_json("doctor", health)
    else:
        show_health(consoles()[0], health)
    ctx.exit(0 if health.is_well else 1)
