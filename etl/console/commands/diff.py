"""`diff`: what differs between two builds."""

import click

from saturi.etl.console.help import Command
from saturi.etl.console.output import consoles, print_json
from saturi.etl.console.paths import LOCATION
from saturi.etl.storage.location import Location

EXAMPLES = (
    ("saturi diff out other", "Options, counts and pairs that differ."),
    ("saturi diff out other -n 20 --json", "The same for a script, with more pairs."),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("first", type=LOCATION)
@click.argument("second", type=LOCATION)
@click.option("-n", "--count", type=int, default=5, show_default=True, help="Most pairs of each kind to list.")
@click.option("--json", "as_json", is_flag=True, help="Print the differences on stdout, for machines.")
@click.pass_context
def diff(ctx: click.Context, /, *, first: Location, second: Location, count: int, as_json: bool) -> None:
    """
    Print what differs between the builds in FIRST and SECOND: options, counts, and pairs by label file and sentence.

    The exit code is 0 if the builds are equal, and 1 if they differ. No text of the corpus is shown.
    """
    from saturi.etl.console.screens.diff import show_diff
    from saturi.etl.pairs.diff import diff as run

    result = run(first, second, count)
    if as_json:
        print_json("diff", result)
    else:
        show_diff(consoles()[0], result)
    ctx.exit(0 if result.equal else 1)
