"""`clean`: delete uploaded files."""

from functools import partial

import click

from saturi.etl.console.commands.access import ledger_command, naming
from saturi.etl.console.commands.asking import Asking
from saturi.etl.console.output import consoles
from saturi.etl.output.printable import counted
from saturi.etl.storage.location import Location
from saturi.etl.submission.access import Access

EXAMPLES = (
    ("saturi clean out", "Lists the files, and asks before it deletes them."),
    ("saturi clean out --yes", "Without a question."),
)


@partial(ledger_command, examples=EXAMPLES, waits=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
def clean(out: Location, access: Access, *, yes: bool) -> None:
    """Delete the files uploaded from OUT that no job at the provider needs any more."""
    from saturi.etl.console.lines import print_line, print_next
    from saturi.etl.console.screens.submit import submitting
    from saturi.etl.submission.removal import clean as run

    console, errors = consoles()
    with submitting(errors) as report:
        done = run(out, access, consent=Asking(errors, yes=yes), report=report)
    needed = f", {counted(len(done.needed), 'file')} kept for a job that needs them" if done.needed else ""
    print_line(console, f"{counted(len(done.deleted), 'file')} deleted{needed}")
    if done.kept:
        print_line(
            console,
            f"{counted(len(done.kept), 'file')} kept at a provider that deletes none over its API: see its own pages",
        )
    print_next(console, "status", out, *naming(access.ledger))
