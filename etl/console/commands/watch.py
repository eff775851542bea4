"""`watch`: follow jobs to their end."""

from functools import partial

import click

from saturi.etl.console.commands.access import ledger_command, naming
from saturi.etl.console.commands.parameters import Seconds
from saturi.etl.console.output import consoles, print_json_line, resumable
from saturi.etl.errors import ProviderError
from saturi.etl.providers.pace import Pace
from saturi.etl.storage.location import Location
from saturi.etl.submission.access import Access
from saturi.schemas.ledger import SUCCEEDED

_DAY_SECONDS = 86_400


EXAMPLES = (
    ("saturi watch out", "Until all jobs have ended; run it again at any time."),
    ("saturi watch out --every 60 --json", "A look a minute, each event a line of JSON."),
)


@partial(ledger_command, examples=EXAMPLES)
@click.option(
    "--every",
    "seconds",
    type=Seconds(min=0.05, max=_DAY_SECONDS),
    default=Pace().poll_seconds,
    show_default=True,
    help="Seconds between looks.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each event as a line of JSON on stdout, for machines.")
def watch(out: Location, access: Access, *, seconds: float, as_json: bool) -> None:
    """
    Follow every job submitted from OUT to its end: events, losses, and in the end models, tokens and cost.

    May be stopped at any time and begun again: the provider has the whole story. The exit code is 6 if a job failed or was
    cancelled.
    """
    from saturi.etl.console.lines import print_next, print_note
    from saturi.etl.console.screens.watch import watching
    from saturi.etl.submission.watch import watch as run

    console, errors = consoles()
    resumable()
    if as_json:
        rows = run(out, access, report=partial(print_json_line, "watch"), pace=Pace(poll_seconds=seconds))
    else:
        with watching(console) as report:
            rows = run(out, access, report=report, pace=Pace(poll_seconds=seconds))
    if not rows:
        print_note(errors, "no job is known here: submit again, which also looks for one whose answer was lost.")
    failed = sum(row.status != SUCCEEDED for row in rows)
    if rows and not (failed or as_json):
        print_next(console, "evaluate", out, *naming(access.ledger))
    click.get_current_context().exit(ProviderError.exit_code if failed else 0)
