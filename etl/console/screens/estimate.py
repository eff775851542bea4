"""Screen of `estimate`: tokens and price by shard, histograms, samples, notes."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from etl.console.screens.words import short
from schemas.estimate import Estimate, ShardEstimate
from schemas.terms import Split

_BLOCKS = " ▁▂▃▄▅▆▇█"
_LETTERS = " .:-=+*#@"  # where the console's encoding has no blocks


def show_estimate(console: Console, estimate: Estimate, rate: float | None = None) -> None:
    """Print *estimate* on *console*; *rate* is won per dollar, or None for prices in dollars only."""
    for part in (_shards(estimate, rate), _pictures(console, estimate), _samples(estimate, rate)):
        console.print(part)
        console.print()
    for line in _notes(estimate, rate):
        console.print(line, highlight=False)


def _table(title: str, *numbers: str) -> Table:
    """Return a table with a first column that may be folded, and columns of *numbers*, which may not."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 0, 0, 1), header_style="dim")
    table.add_column("", overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _shards(estimate: Estimate, rate: float | None) -> Table:
    names = ("examples", "tokens", "p50", "p95", "max", "over", "epochs", "billed", *_currencies(rate))
    table = _table(f"Tokens and price: {estimate.model}", *names)
    table.add_row("train in total", *_row(estimate.total, rate), style="bold")
    for name, shard in _named(estimate):
        table.add_row(name, *(_row(shard, rate) if shard else []))
    return table


def _row(shard: ShardEstimate, rate: float | None) -> list[str]:
    counts = (f"{count:,}" for count in (shard.p50, shard.p95, shard.max, shard.over_limit, shard.epochs))
    prices = _prices(shard.price_usd, rate)
    return [f"{shard.examples:,}", short(shard.tokens), *counts, short(shard.billed_tokens), *prices]


def _named(estimate: Estimate) -> Iterator[tuple[str, ShardEstimate | None]]:
    """Yield name and estimate of every shard, and the name of each split before its shards."""
    for split in Split:
        shards = [shard for shard in estimate.shards if shard.split == split]
        if shards:
            yield split, None
        for shard in shards:
            yield f"  {shard.region}-{shard.speech_type}", shard


def _pictures(console: Console, estimate: Estimate) -> Table:
    """Return a table with the histogram of every shard, in blocks, or in letters if the console cannot show blocks."""
    blocks = _BLOCKS if _can_show(console, _BLOCKS) else _LETTERS
    table = Table(title="Tokens an example", title_justify="left", box=None, pad_edge=False, header_style="dim")
    table.add_column("", overflow="fold")
    table.add_column(f"0 to {estimate.bin_tokens * len(estimate.total.histogram):,}", no_wrap=True)
    for name, shard in _named(estimate):
        table.add_row(name, _picture(shard, blocks) if shard else "")
    return table


def _samples(estimate: Estimate, rate: float | None) -> Table:
    table = _table("Samples of train", "examples", "epochs", "billed", *_currencies(rate))
    for sample in estimate.samples:
        numbers = (f"{sample.examples:,}", f"{sample.epochs}", short(sample.billed_tokens))
        table.add_row("", *numbers, *_prices(sample.price_usd, rate))
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
        line = f"{estimate.model} and every tune of it shut down on {estimate.shutdown_date}: {left}."
        lines.append(Text(line, "red" if over else "yellow"))
    return lines


def _picture(shard: ShardEstimate, blocks: str) -> Text:
    """Return the histogram of *shard* as one line: the last of *blocks* for the highest bin, the first for an empty one."""
    highest = max(shard.histogram, default=0) or 1
    steps = len(blocks) - 1
    return Text("".join(blocks[-(-count * steps // highest)] for count in shard.histogram), "cyan")


def _can_show(console: Console, text: str) -> bool:
    try:
        text.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _currencies(rate: float | None) -> list[str]:
    return ["USD"] if rate is None else ["USD", "KRW"]


def _prices(usd: float, rate: float | None) -> list[str]:
    return [f"${usd:,.2f}"] if rate is None else [f"${usd:,.2f}", f"₩{usd * rate:,.0f}"]
