"""`submit`: the shards of a build to a fine-tuning API."""

from typing import Any

import click

from saturi.etl.console.commands.access import naming
from saturi.etl.console.commands.asking import Asking
from saturi.etl.console.commands.declared import declared_options
from saturi.etl.console.commands.parameters import config_option, key_file_of
from saturi.etl.console.help import Command
from saturi.etl.console.output import consoles, print_json, resumable, typed_without
from saturi.etl.console.paths import LOCATION
from saturi.etl.errors import SpendingError
from saturi.etl.storage.location import ObjectPath
from saturi.etl.submission.keeping import ledger_of
from saturi.etl.submission.options import SubmitOptions
from saturi.schemas.ledger import Submitted

GROUPS = {
    "Where": ("--provider", "--base-url", "--allow-http", "--providers"),
    "Jobs": ("--model", "--models", "--epochs", "--plan", "--suffix", "--seed", "--resubmit"),
    "Cost": ("--max-cost", "--accept-data-terms", "--allow-unknown-price", "--yes"),
    "Run": ("--dry-run", "--ledger", "--json", "--config"),
}
"""Options by the heading they are under in the help."""

EXAMPLES = (
    ("saturi submit out --dry-run", "The plan, its price and every request; nothing is sent."),
    ("saturi submit out --max-cost 30", "One job; asks before it sends anything."),
    ("saturi submit out --plan per-shard --epochs 2", "A job for each region and speech type."),
)


@click.command(cls=Command, groups=GROUPS, examples=EXAMPLES, waits=True)
@click.argument("out", type=LOCATION)
@config_option("submit")
@declared_options(SubmitOptions)
@click.option("--yes", is_flag=True, help="Agree to the cost, up to --max-cost.")
@click.option("--dry-run", is_flag=True, help="Print the plan and each request it comes to; make none.")
@click.option("--json", "as_json", is_flag=True, help="Print the result on stdout, for machines.")
@click.pass_context
def submit(ctx: click.Context, /, **given: Any) -> None:
    """
    Create fine-tuning jobs from the build in OUT, each once, whatever breaks.

    Shows the plan and its price and asks before anything is sent; where nobody can answer, --yes and --max-cost do. Run
    it again after anything: what is there is not sent again, and a job that was created is found.
    """
    from saturi.etl.console.lines import print_next, print_note
    from saturi.etl.console.screens.submit import show_plan, show_requests, show_submission, submitting
    from saturi.etl.submission.spending import precise
    from saturi.etl.submission.submit import plan_submission
    from saturi.etl.submission.submit import submit as run

    out, yes = given.pop("out"), given.pop("yes")
    dry_run, as_json = given.pop("dry_run"), given.pop("as_json")
    options = SubmitOptions(key_file=key_file_of(ctx), **given)
    console, errors = consoles()
    if dry_run:
        from saturi.etl.submission.dry_run import requests_of

        plan = plan_submission(out, options)
        if as_json:
            print_json("submit-dry-run", requests_of(plan))
        else:
            show_plan(console, plan)
            show_requests(console, plan, requests_of(plan))
        if plan.usd is not None and options.max_cost is not None and plan.usd > options.max_cost:
            problem = f"submit would refuse this: it costs {precise(plan.usd)}, and --max-cost allows"
            print_note(errors, f"{problem} {precise(options.max_cost)}")
            ctx.exit(SpendingError.exit_code)
        if not as_json:
            print_next(console, *typed_without("--dry-run"))
        return
    consent = Asking(
        errors,
        yes=yes,
        accept_data_terms=options.accept_data_terms,
        resubmit=options.resubmit,
        allow_http=options.allow_http,
    )
    resumable()
    with submitting(errors) as report:
        done = run(out, options, consent=consent, report=report)
    if isinstance(out, ObjectPath):
        print_note(errors, f"the ledger is kept in {ledger_of(out, options.ledger)}")
    if as_json:
        print_json("submit", Submitted(created=done.created, jobs=done.jobs))
    else:
        show_submission(console, done)
        print_next(console, "watch", out, *naming(options.ledger))
