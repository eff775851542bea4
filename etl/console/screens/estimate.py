"""An estimate as a person sees it: numbers and a picture of tokens by shard, the price of samples, how long the model lives."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from saturi.etl.console.lines import add_row, print_line
from saturi.etl.console.screens.tables import numbers_table, print_table
from saturi.etl.console.screens.words import short
from saturi.etl.console.signs import blocks
from saturi.schemas.estimate import Estimate, Offer, ShardEstimate
from saturi.schemas.terms import Split

_WIDE_COLUMNS = 80
"""Of a console that has room for how tokens are spread; where some are over the limit, they are shown all the same."""


def show_estimate(console: Console, estimate: Estimate, rate: float | None = None) -> None:
    """
    Print *estimate*.

    Args:
        console: Where to.
        estimate: The estimate.
        rate: Won for a dollar, or None for prices in dollars only.
    """
    shards = _shards(estimate, rate, wide=console.width >= _WIDE_COLUMNS or estimate.total.over_limit > 0)
    for part in (shards, _pictures(console, estimate), _samples(estimate, rate)):
        print_table(console, part)
        console.print()
    for line in _notes(estimate, rate):
        print_line(console, line)


def show_offers(console: Console, offers: Sequence[Offer], rate: float | None = None) -> None:
    """
    Print *offers*, a line each.

    Args:
        console: Where to.
        offers: Models at providers, with their prices.
        rate: Won for a dollar, or None for prices in dollars only.
    """
    table = numbers_table(
        "model",
        "epochs",
        "billed",
        "a million",
        *_currencies(rate),
        "as of",
        "ends",
        title="The same build everywhere",
    )
    for offer in offers:
        price = offer.usd_per_million_tokens
        a_million = "?" if price is None else f"${price:g}"
        prices = ["?" for _ in _currencies(rate)] if offer.price_usd is None else _prices(offer.price_usd, rate)
        billed = f"{'' if offer.exact else '~'}{short(offer.billed_tokens)}"
        days = (f"{offer.price_as_of}", "" if offer.ends is None else f"{offer.ends}")
        add_row(table, f"{offer.provider} {offer.model}", f"{offer.epochs}", billed, a_million, *prices, *days)
    print_table(console, table, less=("as of", "epochs", "billed", "a million"))
    console.print()
    note = (
        "?: not known, or not for so many epochs. ~: in tokens of o200k_base, which is not the model's own tokenizer."
    )
    print_line(console, Text(f"{note} What answers cost, and machines by the minute, is not in it."))


def _shards(estimate: Estimate, rate: float | None, *, wide: bool) -> Table:
    spread = ("p50", "p95", "max", "over") if wide else ()
    names = ("examples", "tokens", *spread, "epochs", "billed", *_currencies(rate))
    table = numbers_table("shard", *names, title=f"Tokens and price: {estimate.model}")
    for name, shard in _named(estimate):
        add_row(table, name, *(_row(shard, rate, wide=wide) if shard else []))
    add_row(table, "train in total", *_row(estimate.total, rate, wide=wide), style="bold")
    return table


def _row(shard: ShardEstimate, rate: float | None, *, wide: bool) -> list[str]:
    spread = (shard.p50, shard.p95, shard.max, shard.over_limit) if wide else ()
    numbers = [f"{shard.examples:,}", short(shard.tokens), *(f"{count:,}" for count in spread)]
    if shard.split == Split.VALIDATION:  # is not billed
        return numbers
    return [*numbers, f"{shard.epochs:,}", short(shard.billed_tokens), *_prices(shard.price_usd, rate)]


def _named(estimate: Estimate) -> Iterator[tuple[str, ShardEstimate | None]]:
    """Yield the name of every shard and its estimate, with the name of a split alone in front of its first."""
    for split in Split:
        shards = [shard for shard in estimate.shards if shard.split == split]
        if shards:
            yield split, None
        for shard in shards:
            yield f"  {shard.region}-{shard.speech_type}", shard


def _pictures(console: Console, estimate: Estimate) -> Table:
    """Return a table with the histogram of every shard, in blocks or, where the console has none, in letters."""
    signs = " " + blocks(console.encoding)
    table = Table(title="Tokens an example", title_justify="left", box=None, pad_edge=False, header_style="dim")
    table.add_column("", overflow="fold")
    table.add_column(f"0 to {estimate.bin_tokens * len(estimate.total.histogram):,}", no_wrap=True)
    for name, shard in _named(estimate):
        add_row(table, name, _picture(shard, signs) if shard else "")
    return table


def _samples(estimate: Estimate, rate: float | None) -> Table:
    table = numbers_table("", "examples", "epochs", "billed", *_currencies(rate), title="Samples of train")
    for sample in estimate.samples:
        numbers = (f"{sample.examples:,}", f"{sample.epochs}", short(sample.billed_tokens))
        add_row(table, "", *numbers, *_prices(sample.price_usd, rate))
    return table


def _notes(estimate: Estimate, rate: float | None) -> list[Text]:
    """Return notes on the numbers, a line each."""
    rule = "as given" if estimate.epochs_given else "by the provider's default rule"
    limit = (
        "the limit of an example is not known"
        if estimate.max_example_tokens is None
        else f"cut at {estimate.max_example_tokens:,} an example"
    )
    exact = "exact" if estimate.exact else "an estimate: it is not this model's own"
    saved, prices = estimate.saved, " = ".join(_prices(estimate.saved.price_usd, rate))
    lines = [
        Text(f"Tokens by {estimate.tokenizer} ({exact}), {limit}. Epochs {rule}. Validation is not billed."),
        Text(
            f"${estimate.usd_per_million_tokens:g} a million tokens, as of {estimate.price_as_of}; {estimate.price_source}."
        ),
        Text(
            f"Deduplication saved about {prices}: {saved.duplicates:,} examples, each taken as the mean of its shard."
        ),
    ]
    if estimate.no_jobs_from is not None:
        lines.append(Text(f"No new job can be created from {estimate.no_jobs_from} on.", "yellow"))
    if estimate.shutdown_date is not None and estimate.days_left is not None:
        over = estimate.days_left <= 0
        left = "it is gone" if over else f"{estimate.days_left:,} days left"
        end = f"{estimate.model} and every tune of it shut down on {estimate.shutdown_date}: {left}."
        lines.append(Text(end, "red" if over else "yellow"))
    return lines


def _picture(shard: ShardEstimate, signs: str) -> Text:
    """Return the histogram of *shard* in one line: the highest bin is the last of *signs*, an empty one the first."""
    highest = max(shard.histogram, default=0) or 1
    steps = len(signs) - 1
    return Text("".join(signs[-(-count * steps // highest)] for count in shard.histogram), "cyan")


def _currencies(rate: float | None) -> list[str]:
    return ["USD"] if rate is None else ["USD", "KRW"]


def _prices(usd: float, rate: float | None) -> list[str]:
    return [f"${usd:,.2f}"] if rate is None else [f"${usd:,.2f}", f"₩{usd * rate:,.0f}"]
