"""An estimate as a person sees it: numbers and a picture of tokens by shard, the price of samples, how long the model lives."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from etl.console.screens.words import short
from schemas.estimate import Estimate, ShardEstimate
from schemas.terms import Split

_BLOCKS = " ▁▂▃▄▅▆▇█"
_LETTERS = " .:-=+*#@"  # where the console's encoding has no blocks


def show_estimate(console: Console, found: Estimate, rate: float | None = None) -> None:
    """
    Print *found*.

    Args:
        console: Where to.
        found: The estimate.
        rate: Won for a dollar, or None for prices in dollars only.
    """
    for part in (_shards(found, rate), _pictures(console, found), _samples(found, rate)):
        console.print(part)
        console.print()
    for line in _notes(found, rate):
        console.print(line, highlight=False)


def _table(title: str, *numbers: str) -> Table:
    """Return a table with a column that may be folded, and others of *numbers*, which may not."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 0, 0, 1), header_style="dim")
    table.add_column("", overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _shards(found: Estimate, rate: float | None) -> Table:
    names = ("examples", "tokens", "p50", "p95", "max", "over", "epochs", "billed", *_currencies(rate))
    table = _table(f"Tokens and price: {found.model}", *names)
    table.add_row("train in total", *_row(found.total, rate), style="bold")
    for name, shard in _named(found):
        table.add_row(name, *(_row(shard, rate) if shard else []))
    return table


def _row(shard: ShardEstimate, rate: float | None) -> list[str]:
    counts = (f"{count:,}" for count in (shard.p50, shard.p95, shard.max, shard.over_limit, shard.epochs))
    prices = _prices(shard.price_usd, rate)
    return [f"{shard.examples:,}", short(shard.tokens), *counts, short(shard.billed_tokens), *prices]


def _named(found: Estimate) -> Iterator[tuple[str, ShardEstimate | None]]:
    """Yield the name of every shard and its estimate, with the name of a split alone in front of its first."""
    for split in Split:
        shards = [shard for shard in found.shards if shard.split == split]
        if shards:
            yield split, None
        for shard in shards:
            yield f"  {shard.region}-{shard.speech_type}", shard


def _pictures(console: Console, found: Estimate) -> Table:
    """Return a table with the histogram of every shard, in blocks or, where the console has none, in letters."""
    blocks = _BLOCKS if _can_show(console, _BLOCKS) else _LETTERS
    table = Table(title="Tokens an example", title_justify="left", box=None, pad_edge=False, header_style="dim")
    table.add_column("", overflow="fold")
    table.add_column(f"0 to {found.bin_tokens * len(found.total.histogram):,}", no_wrap=True)
    for name, shard in _named(found):
        table.add_row(name, _picture(shard, blocks) if shard else "")
    return table


def _samples(found: Estimate, rate: float | None) -> Table:
    table = _table("Samples of train", "examples", "epochs", "billed", *_currencies(rate))
    for sample in found.samples:
        numbers = (f"{sample.examples:,}", f"{sample.epochs}", short(sample.billed_tokens))
        table.add_row("", *numbers, *_prices(sample.price_usd, rate))
    return table


def _notes(found: Estimate, rate: float | None) -> list[Text]:
    """Return what to know of the numbers, a line each."""
    rule = "as given" if found.epochs_given else "by the provider's default rule"
    limit = (
        "the limit of an example is not known"
        if found.max_example_tokens is None
        else f"cut at {found.max_example_tokens:,} an example"
    )
    exact = "exact" if found.exact else "an estimate: it is not this model's own"
    saved, prices = found.saved, " = ".join(_prices(found.saved.price_usd, rate))
    lines = [
        Text(f"Tokens by {found.tokenizer} ({exact}), {limit}. Epochs {rule}. Validation is not billed."),
        Text(f"${found.usd_per_million_tokens:g} a million tokens, as of {found.price_as_of}; {found.price_source}."),
        Text(
            f"Deduplication saved about {prices}: {saved.duplicates:,} examples, each taken as the mean of its shard."
        ),
    ]
    if found.no_jobs_from is not None:
        lines.append(Text(f"No new job can be created from {found.no_jobs_from} on.", "yellow"))
    if found.shutdown_date is not None and found.days_left is not None:
        over = found.days_left <= 0
        left = "it is gone" if over else f"{found.days_left:,} days left"
        said = f"{found.model} and every tune of it shut down on {found.shutdown_date}: {left}."
        lines.append(Text(said, "red" if over else "yellow"))
    return lines


def _picture(shard: ShardEstimate, blocks: str) -> Text:
    """Return the histogram of *shard* in one line: the highest bin is the last of *blocks*, an empty one the first."""
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
