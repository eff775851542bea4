"""`check`: chat JSONL against what fine-tuning APIs take."""

from pathlib import Path

import click

from saturi.etl.console.help import Command
from saturi.etl.console.output import consoles, print_json
from saturi.etl.console.paths import LOCATION, PATH
from saturi.etl.storage.location import Location

EXAMPLES = (
    ("saturi check out", "The chunks of a build, against the limits of OpenAI."),
    ("saturi check train.jsonl --validation held-out.jsonl", "Files of any origin, and what both hold."),
    ("saturi check out --provider together --show 5", "The limits of another provider."),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("files", nargs=-1, required=True, type=LOCATION)
@click.option("--validation", multiple=True, type=LOCATION, help="File held out; may be repeated.")
@click.option("--provider", default="openai", show_default=True, help="Provider whose limits hold.")
@click.option("--model", help="Model whose limits hold.  [default: none]")
@click.option("--tokenizer", type=PATH, help="The tokenizer.json of an open model.")
@click.option("--providers", type=PATH, help="Your own providers.toml.")
@click.option("--models", type=PATH, help="Your own models.toml.")
@click.option("--show", type=int, default=20, show_default=True, help="Problems to show in full.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings on stdout, for machines.")
@click.pass_context
def check(  # noqa: PLR0913 - one an option
    ctx: click.Context,
    /,
    *,
    files: tuple[Location, ...],
    validation: tuple[Location, ...],
    provider: str,
    model: str | None,
    tokenizer: Path | None,
    providers: Path | None,
    models: Path | None,
    show: int,
    as_json: bool,
) -> None:
    """
    Check every line of FILES (chat JSONL, the folder of a build, or URLs) for what a provider refuses, or you may not mean.

    The exit code is 1 if the provider would refuse them, and 0 if there are only warnings.
    """
    from saturi.etl.checking.check import check as run
    from saturi.etl.checking.limits import limits_of
    from saturi.etl.console.lines import print_next, print_note
    from saturi.etl.console.screens.check import show_check
    from saturi.etl.example.tokens import load_tokenizer
    from saturi.etl.providers.models import find_model, read_models
    from saturi.etl.providers.profiles import find_provider, read_providers

    known = find_model(model, read_models(models)) if model is not None else None
    limits = limits_of(find_provider(provider, read_providers(providers)), known)
    counter = load_tokenizer(known, tokenizer)
    console, errors = consoles()
    report = run(files, limits, validation=validation, tokenizer=counter, show=show)
    notes = []
    if known is not None and known.max_example_tokens is None:
        notes.append(f"how many tokens {known.name} takes an example is not known, and was not checked")
    if as_json:
        print_json("check", report, notes=notes)
    else:
        show_check(console, report)
    for note in notes:
        print_note(errors, note)
    if not (as_json or report.errors) and len(files) == 1 and files[0].is_dir():
        print_next(console, "estimate", files[0])
    ctx.exit(1 if report.errors else 0)
