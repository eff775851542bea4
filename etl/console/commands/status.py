"""`status`: jobs and files as the provider shows them."""

from pathlib import Path

import click

from etl.console.commands.access import ledger_command
from etl.console.output import consoles, print_json
from etl.submission.access import Access


@ledger_command
@click.option("--json", "as_json", is_flag=True, help="Print jobs and files on stdout, for machines.")
def status(out: Path, access: Access, *, as_json: bool) -> None:
    """Show every job and file submitted from OUT, as the provider sees them now."""
    from etl.console.screens.submit import show_status, submitting
    from etl.submission.status import status as run

    console, errors = consoles()
    with submitting(errors) as report:
        result = run(out, access, report=report)
    if as_json:
        print_json(result)
    else:
        show_status(console, result)
