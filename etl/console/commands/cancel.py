"""`cancel`: end jobs."""

from functools import partial

import click

from saturi.etl.console.commands.access import ledger_command, naming
from saturi.etl.console.commands.asking import Asking
from saturi.etl.console.output import consoles
from saturi.etl.storage.location import Location
from saturi.etl.submission.access import Access
from saturi.etl.submission.news import JobStatus, News

EXAMPLES = (
    ("saturi cancel out", "All jobs that are not at their end; asks before."),
    ("saturi cancel out JOB --yes", "One job, without a question."),
)


@partial(ledger_command, examples=EXAMPLES)
@click.argument("job", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
def cancel(out: Location, access: Access, *, job: str | None, yes: bool) -> None:
    """Cancel JOB, or every job submitted from OUT that has not ended; what is done of it is billed all the same."""
    from saturi.etl.console.lines import print_line, print_next
    from saturi.etl.console.screens.submit import submitting
    from saturi.etl.submission.cancellation import cancel as run

    console, errors = consoles()
    with submitting(errors) as report:

        def show(news: News) -> None:
            """Print each job that is cancelled at once: the next one may fail."""
            if isinstance(news, JobStatus):
                print_line(console, f"{news.job_id} {news.status}")
            else:
                report(news)

        rows = run(out, job, access, consent=Asking(errors, yes=yes), report=show)
    if not rows:
        print_line(console, "no job to cancel: all have ended")
    print_next(console, "status", out, *naming(access.ledger))
