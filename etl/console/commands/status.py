"""`status`: jobs and files as the provider shows them."""

from functools import partial

import click

from saturi.etl.console.commands.access import ledger_command, naming
from saturi.etl.console.lines import print_next, print_note
from saturi.etl.console.output import consoles, print_json
from saturi.etl.errors import ProviderError
from saturi.etl.storage.location import Location
from saturi.etl.submission.access import Access

EXAMPLES = (
    ("saturi status out", "Every job with its state, and the files there."),
    ("saturi status out --json", "The same for a script."),
)


@partial(ledger_command, examples=EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print jobs and files on stdout, for machines.")
def status(out: Location, access: Access, *, as_json: bool) -> None:
    """
    Show every job and file submitted from OUT, as the provider sees them now.

    What a provider does not answer is shown as it was last, and the exit code is 6.
    """
    from saturi.etl.console.screens.submit import show_status, submitting
    from saturi.etl.submission.status import status as run

    console, errors = consoles()
    with submitting(errors) as report:
        result = run(out, access, report=report)
    if as_json:
        print_json("status", result)
    else:
        show_status(console, result)
    for problem in result.problems:
        print_note(errors, f"as the ledger has it: {problem}")
    if result.problems:
        click.get_current_context().exit(ProviderError.exit_code)
    if not as_json:
        print_next(console, "watch", out, *naming(access.ledger))
