"""`clean`: delete uploaded files."""

from pathlib import Path

import click

from saturi.etl.console.commands.access import ledger_command
from saturi.etl.console.commands.asking import Asking
from saturi.etl.console.output import consoles
from saturi.etl.submission.access import Access


@ledger_command
@click.option("--yes", is_flag=True, help="Do not ask.")
def clean(out: Path, access: Access, *, yes: bool) -> None:
    """Delete the files uploaded from OUT that no job at the provider needs any more."""
    from saturi.etl.console.lines import print_line
    from saturi.etl.console.screens.submit import submitting
    from saturi.etl.submission.removal import clean as run

    console, errors = consoles()
    with submitting(errors) as report:
        done = run(out, access, consent=Asking(errors, yes=yes), report=report)
    print_line(console, f"{len(done.deleted)} files deleted, {len(done.needed)} stay since a job needs them")
    if done.kept:
        print_line(
            console, f"{len(done.kept)} files stay at a provider that deletes none over its API: see its own pages"
        )
