"""What training on a build would cost: tokens, epochs and price, shard by shard, sample by sample. Nothing is spent here."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import polars as pl
from msgspec import Struct, structs

from etl.errors import OptionError
from etl.price.counted import example_tokens
from etl.price.models import DEFAULT_MODEL, find_model, price_of, read_models
from etl.price.tokens import load_tokenizer
from etl.verify import read_manifest
from schemas.estimate import Estimate, SampleEstimate, Saving, ShardEstimate
from schemas.manifest import Manifest
from schemas.model import Model
from schemas.terms import DropReason, Split

BINS = 24
"""Steps of a histogram: what fits beside the numbers."""

_SIZES = (1_000, 10_000, 100_000, 1_000_000)  # of samples, in examples


def estimate(  # noqa: PLR0913 - the five behind the star have defaults that suit most
    out: str | Path,
    model: str = DEFAULT_MODEL,
    *,
    epochs: int | None = None,
    sample: int | None = None,
    rate: float | None = None,
    models: Mapping[str, Model] | None = None,
    tokenizer_file: Path | None = None,
) -> Estimate:
    """
    Return what fine-tuning *model* on the build in *out* would cost.

    Args:
        out: Folder of a build.
        model: A model, one of its snapshots, or a tune of either.
        epochs: Times that every example is seen; None for as many as the provider would choose.
        sample: Also estimate the cost of so many examples of train.
        rate: South Korean won for one US dollar.
        models: Facts of models; None for those of this package.
        tokenizer_file: The `tokenizer.json` of an open model, to count anew with.

    Raises:
        BuildError: *out* holds no finished build.
        OptionError: The model is unknown, or a number is out of its range.
        UnknownPriceError: The price of training it is not known.
    """
    known = find_model(model, models if models is not None else read_models())
    price = price_of(known)
    manifest = read_manifest(Path(out))
    examples = sum(shard.examples for shard in manifest.shards if shard.split == Split.TRAIN)
    _check_range("--sample", sample, 1, examples)
    _check_range("--epochs", epochs, known.epochs.least, known.epochs.most)
    if rate is not None and not 0 < rate < float("inf"):
        raise OptionError("--rate", f"{rate} is out of range", "give the won for one dollar, like 1400")
    tokenizer = load_tokenizer(known, tokenizer_file)
    counts = example_tokens(Path(out), manifest, tokenizer)
    bill = _Bill(known, price, epochs)
    bin_tokens = _largest(counts["tokens"]) // BINS + 1
    shards = list(_estimate_shards(counts, manifest, bill, bin_tokens))
    learnt = [number for number, shard in enumerate(manifest.shards) if shard.split == Split.TRAIN]
    train = counts.filter(pl.col("shard").is_in(learnt))["tokens"]
    total = _estimate_one(train, bill, bill.epochs_for(train.len()), bin_tokens)
    return Estimate(
        model=known.name,
        tokenizer=tokenizer.name,
        exact=tokenizer.exact,
        epochs=total.epochs,
        epochs_given=epochs is not None,
        max_example_tokens=known.max_example_tokens,
        usd_per_million_tokens=price,
        price_as_of=known.as_of,
        price_source=known.source,
        shutdown_date=known.shutdown_date,
        days_left=(known.shutdown_date - date.today()).days if known.shutdown_date else None,
        bin_tokens=bin_tokens,
        shards=shards,
        total=total,
        samples=_samples(total, sample, bill),
        saved=_saved(shards, manifest, bill),
        billed_tokens=total.billed_tokens,
        price_usd=total.price_usd,
        price_krw=None if rate is None else round(total.price_usd * rate),
    )


class _Bill(Struct, frozen=True):
    """What decides a price: the model, its price for a million tokens, and the epochs asked for, if any."""

    model: Model
    usd_per_million_tokens: float
    epochs: int | None

    def epochs_for(self, examples: int) -> int:
        """Return how often each of so many *examples* is seen."""
        return self.model.epochs.default(examples) if self.epochs is None else self.epochs

    def usd(self, billed_tokens: int) -> float:
        """Return the price of *billed_tokens*."""
        return round(billed_tokens * self.usd_per_million_tokens / 1_000_000, 6)


def _estimate_shards(counts: pl.DataFrame, manifest: Manifest, bill: _Bill, bin_tokens: int) -> Iterator[ShardEstimate]:
    """Yield the estimate of every shard that has examples; all of train have the epochs of one job."""
    epochs = bill.epochs_for(sum(shard.examples for shard in manifest.shards if shard.split == Split.TRAIN))
    for number, shard in enumerate(manifest.shards):
        if shard.examples:
            tokens = counts.filter(pl.col("shard") == number)["tokens"]
            one = _estimate_one(tokens, bill, epochs if shard.split == Split.TRAIN else 0, bin_tokens)
            yield structs.replace(one, split=shard.split, region=shard.region, speech_type=shard.speech_type)


def _estimate_one(tokens: pl.Series, bill: _Bill, epochs: int, bin_tokens: int) -> ShardEstimate:
    """Return the estimate of a part of train whose examples have *tokens*."""
    limit = bill.model.max_example_tokens
    billed = int((tokens if limit is None else tokens.clip(upper_bound=limit)).sum()) * epochs
    bins = dict((tokens // bin_tokens).value_counts().iter_rows())
    return ShardEstimate(
        split=Split.TRAIN,
        examples=tokens.len(),
        tokens=int(tokens.sum()),
        p50=_quantile(tokens, 0.5),
        p95=_quantile(tokens, 0.95),
        max=_largest(tokens),
        over_limit=0 if limit is None else int((tokens > limit).sum()),
        epochs=epochs,
        billed_tokens=billed,
        price_usd=bill.usd(billed),
        histogram=[bins.get(number, 0) for number in range(BINS)],
    )


def _samples(total: ShardEstimate, sample: int | None, bill: _Bill) -> list[SampleEstimate]:
    """Return estimates of samples of train in round sizes, of *sample* if given, and of all, the smallest first."""
    sizes = sorted({size for size in (*_SIZES, sample or 0, total.examples) if 0 < size <= total.examples})
    rows = []
    for size in sizes:
        epochs = bill.epochs_for(size)
        # An example's share of the bill, which knows what is cut.
        billed = round(total.billed_tokens / total.epochs / total.examples * size * epochs)
        rows.append(SampleEstimate(examples=size, epochs=epochs, billed_tokens=billed, price_usd=bill.usd(billed)))
    return rows


def _saved(shards: list[ShardEstimate], manifest: Manifest, bill: _Bill) -> Saving:
    """Return what the duplicates dropped from train would have cost."""
    kept = [row for row in manifest.shards if row.examples]  # of each of them there is an estimate, in the same order
    saved = [
        (row.dropped.get(DropReason.DUPLICATE, 0), shard.billed_tokens / shard.examples)
        for row, shard in zip(kept, shards, strict=True)
        if row.split == Split.TRAIN
    ]
    billed = round(sum(duplicates * mean for duplicates, mean in saved))
    return Saving(duplicates=sum(number for number, _ in saved), billed_tokens=billed, price_usd=bill.usd(billed))


def _quantile(tokens: pl.Series, share: float) -> int:
    return int(tokens.quantile(share, "lower") or 0)


def _largest(tokens: pl.Series) -> int:
    return int(tokens.to_frame().select(pl.all().max()).item() or 0)


def _check_range(option: str, value: int | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise OptionError(option, f"{value:,} is out of range", f"give a whole number from {least:,} to {most:,}")
