"""`submit`: the shards of a build to a fine-tuning API."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from msgspec import structs

from etl.console.commands.asking import Asking
from etl.console.commands.parameters import config_option
from etl.console.output import consoles, print_json, resumable
from etl.submission.options import SHAPES, SubmitOptions

_FIELDS = {field.name: field.default for field in structs.fields(SubmitOptions)}


def _option(name: str, help: str, **more: Any) -> Callable[..., Any]:  # noqa: A002 - click's own words and types
    """Return the option of the field *name* of `SubmitOptions`, with its default."""
    shown = _FIELDS[name] is not None and not more.get("is_flag")
    return click.option(
        "--" + name.replace("_", "-"), name, default=_FIELDS[name], show_default=shown, help=help, **more
    )


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@config_option("submit")
@_option("provider", "Profile of the provider.")
@_option("model", "Model to train, as the provider calls it.")
@_option("epochs", "Passes over the examples.  [default: by the provider's rule, sent as a number]", type=int)
@_option("plan", "One job, one a region and speech type, or these one after the other.", type=click.Choice(SHAPES))
@_option("suffix", "Put into the names of the models.")
@_option("seed", "Makes a job repeatable.", type=int)
@_option("base_url", "Address instead of the profile's: a gateway, a resource of your own.")
@_option("max_cost", "Most US dollars that all jobs together may cost.", type=float)
@_option("accept_data_terms", "Agree to the terms of AI-Hub's data.", is_flag=True)
@_option("allow_unknown_price", "Submit although nobody can say what it costs.", is_flag=True)
@_option("resubmit", "Create another job where one failed, or may or may not exist.", is_flag=True)
@_option("providers", "Your own providers.toml.", type=click.Path(path_type=Path))
@_option("models", "Your own models.toml.", type=click.Path(path_type=Path))
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
    from etl.console.screens.submit import show_plan, show_requests, show_submission, submitting
    from etl.submission.submit import plan_submission
    from etl.submission.submit import submit as run

    out, yes = given.pop("out"), given.pop("yes")
    dry_run, as_json = given.pop("dry_run"), given.pop("as_json")
    key_file = ctx.meta["config"].submit.key_file
    options = SubmitOptions(key_file=None if key_file is None else Path(key_file), **given)
    console, errors = consoles()
    if dry_run:
        from etl.submission.requests import requests_of

        plan = plan_submission(out, options)
        if as_json:
            print_json(requests_of(plan))
        else:
            show_plan(console, plan, {job.key for job in plan.jobs})
            show_requests(console, plan, requests_of(plan))
        return
    consent = Asking(errors, yes=yes, accept_data_terms=options.accept_data_terms, resubmit=options.resubmit)
    resumable()
    with submitting(errors) as report:
        done = run(out, options, consent=consent, report=report)
    if as_json:
        print_json({"created": done.created, "jobs": done.jobs})
    else:
        show_submission(console, done, out)
