"""`verify`: chunks against the manifest."""

import click

from saturi.etl.console.help import Command
from saturi.etl.console.output import consoles, print_json
from saturi.etl.console.paths import LOCATION
from saturi.etl.storage.location import Location

EXAMPLES = (
    ("saturi verify out", "Every chunk hashed, and compared with the manifest."),
    ("saturi verify out --json", "The same for a script; the exit code is 4 where anything is damaged."),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("out", type=LOCATION)
@click.option("--json", "as_json", is_flag=True, help="Print the findings on stdout, for machines.")
@click.pass_context
def verify(ctx: click.Context, out: Location, *, as_json: bool) -> None:
    """Hash and count every chunk in OUT again; the exit code is 4 if one is changed, missing or extra."""
    from saturi.etl.console.lines import print_next
    from saturi.etl.console.screens.verify import show_verification
    from saturi.etl.output.finished import verify as run

    verification = run(out)
    if as_json:
        print_json("verify", verification)
    else:
        console = consoles()[0]
        show_verification(console, verification)
        if verification.examples and not verification.damage:
            print_next(console, "estimate", out)
    ctx.exit(4 if verification.damage else 0)
