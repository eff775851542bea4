"""`estimate`: what training on a build would cost."""

import math
from pathlib import Path

import click

from saturi.etl.console.help import Command
from saturi.etl.console.output import consoles, print_json
from saturi.etl.console.paths import LOCATION, PATH
from saturi.etl.errors import OptionError
from saturi.etl.output.printable import counted
from saturi.etl.providers.models import DEFAULT_MODEL
from saturi.etl.storage.location import Location

EXAMPLES = (
    ("saturi estimate out", "Tokens and price of the default model."),
    ("saturi estimate out --all --rate 1400", "Every model at every provider, in won, too."),
    ("saturi estimate out --epochs 2 --sample 5000", "What fewer epochs, or fewer examples, would cost."),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("out", type=LOCATION)
@click.option("--model", default=DEFAULT_MODEL, show_default=True, help="Model, snapshot, or tune of either.")
@click.option("--epochs", type=int, help="Times every example is seen.  [default: by the provider's rule]")
@click.option("--sample", type=int, help="Also show what so many examples would cost.")
@click.option("--rate", type=float, help="Won for one dollar: show prices in KRW, too.")
@click.option("--models", type=PATH, help="Your own models.toml.")
@click.option("--tokenizer", type=PATH, help="The tokenizer.json of an open model.")
@click.option("--all", "everywhere", is_flag=True, help="Compare every model at every provider instead.")
@click.option("--providers", type=PATH, help="Your own providers.toml, for --all.")
@click.option("--json", "as_json", is_flag=True, help="Print the estimate on stdout, for machines.")
def estimate(  # noqa: PLR0913 - one an option
    *,
    out: Location,
    model: str,
    epochs: int | None,
    sample: int | None,
    rate: float | None,
    models: Path | None,
    tokenizer: Path | None,
    everywhere: bool,
    providers: Path | None,
    as_json: bool,
) -> None:
    """
    Print tokens, epochs and price of training on the build in OUT, by shard and in total. Nothing is sent or spent.

    A model whose price is not known is refused with exit code 7, and the way to add it.
    """
    from saturi.etl.console.lines import print_next, print_note
    from saturi.etl.console.screens.estimate import show_estimate, show_offers
    from saturi.etl.pricing.comparison import estimate_all
    from saturi.etl.pricing.estimate import estimate as run
    from saturi.etl.providers.models import read_models
    from saturi.etl.providers.profiles import read_providers

    if everywhere:
        if sample is not None or tokenizer is not None:
            raise OptionError(
                "--all", "it compares the whole build, in tokens of one kind", "leave out --sample and --tokenizer"
            )
        known = read_providers(providers)
        offers = estimate_all(out, epochs=epochs, rate=rate, models=read_models(models), providers=known)
        if as_json:
            print_json("estimate-all", offers)
        else:
            console = consoles()[0]
            show_offers(console, offers, rate)
            print_next(console, "submit", out, "--dry-run")
        return
    console, errors = consoles()
    result = run(
        out,
        model,
        epochs=epochs,
        sample=sample,
        rate=rate,
        models=read_models(models),
        tokenizer_file=tokenizer,
    )
    notes = []
    if sample is not None and sample > result.total.examples:
        has = f"train has {counted(result.total.examples, 'example')}"
        notes.append(f"{has}, so a sample of {sample:,} is all of them")
    if as_json:
        print_json("estimate", result, notes=notes)
    else:
        show_estimate(console, result, rate)
    for note in notes:
        print_note(errors, note)
    if not as_json:
        chosen = [] if model == DEFAULT_MODEL else ["--model", model]
        print_next(console, "submit", out, *chosen, "--max-cost", f"{max(1, math.ceil(result.total.price_usd))}")
