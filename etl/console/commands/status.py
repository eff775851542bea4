"""`status`: what became of everything submitted."""

from pathlib import Path

import click

from etl.console.commands.access import ledger_command
from etl.console.output import consoles, print_json
from etl.submission.after import Access


@ledger_command
@click.option("--json", "as_json", is_flag=True, help="Print jobs and files on stdout, for machines.")
def status(out: Path, access: Access, *, as_json: bool) -> None:
    """Show every job and file submitted from OUT, as the provider sees them now."""
    from etl.console.screens.submit import show_status
    from etl.submission.after import status as run

    found = run(out, access)
    if as_json:
        print_json(found)
    else:
        show_status(consoles()[0], found)
