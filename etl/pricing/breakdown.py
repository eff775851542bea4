"""The breakdown of an estimate: from the tokens of every example to rows of shards and samples, each with its price."""

from collections.abc import Iterator
from datetime import date

import polars as pl
from msgspec import structs

from saturi.etl.example.tokens import Tokenizer
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.pricing.tariff import Tariff
from saturi.etl.pricing.tokens import TokenCounter, example_tokens
from saturi.etl.providers.profiles import read_providers
from saturi.schemas.estimate import Estimate, SampleEstimate, Saving, ShardEstimate
from saturi.schemas.manifest import Manifest
from saturi.schemas.model import Model
from saturi.schemas.terms import DropReason, Split

BINS = 24
"""Bins of a histogram: as many as fit beside the numbers."""

_SIZES = (1_000, 10_000, 100_000, 1_000_000)  # of samples, in examples

_SAMPLING = frozenset(
    {DropReason.NOT_SAMPLED, DropReason.OVER_BALANCE}
)  # the rules that make a shard as large as wanted


def make_estimate(
    build: FinishedBuild,
    tariff: Tariff,
    tokenizer: Tokenizer,
    sample: int | None = None,
    counter: TokenCounter | None = None,
) -> Estimate:
    """
    Return the estimate for *build*; see `saturi.etl.pricing.estimate`.

    Args:
        build: The build, which is verified.
        tariff: What decides the price.
        tokenizer: What tokens are counted with.
        sample: Also estimate the cost of so many examples of train.
        counter: That of `counter_for`; chunks that it has not seen are read.

    Raises:
        BuildError: The build is damaged.
    """
    manifest = build.manifest
    counts = example_tokens(build, counter)
    bin_tokens = _largest(counts["tokens"]) // BINS + 1
    shards = list(_estimate_shards(counts, manifest, tariff, bin_tokens))
    learnt = [number for number, shard in enumerate(manifest.shards) if shard.split == Split.TRAIN]
    train = counts.filter(pl.col("shard").is_in(learnt))["tokens"]
    total = _estimate_one(train, tariff, tariff.epochs_for(train.len()), bin_tokens)
    model = tariff.model
    return Estimate(
        model=model.name,
        tokenizer=tokenizer.name,
        exact=tokenizer.exact,
        epochs=total.epochs,
        epochs_given=tariff.epochs is not None,
        max_example_tokens=model.max_example_tokens,
        usd_per_million_tokens=tariff.usd_per_million_tokens,
        price_as_of=model.as_of,
        price_source=model.source,
        no_jobs_from=_no_jobs_from(model),
        shutdown_date=model.shutdown_date,
        days_left=(model.shutdown_date - date.today()).days if model.shutdown_date else None,
        bin_tokens=bin_tokens,
        shards=shards,
        total=total,
        samples=_samples(total, sample, tariff),
        saved=_saved(shards, manifest, tariff),
        billed_tokens=total.billed_tokens,
        price_usd=total.price_usd,
        price_krw=None if tariff.krw_per_usd is None else round(total.price_usd * tariff.krw_per_usd),
    )


def _no_jobs_from(model: Model) -> date | None:
    """Return the day from which no provider of *model* takes a job, or None where one does or nothing is known."""
    known = read_providers()
    days = [known[name].no_jobs_from for name in model.providers if name in known]
    return max((day for day in days if day is not None), default=None) if None not in days else None


def _estimate_shards(
    counts: pl.DataFrame, manifest: Manifest, tariff: Tariff, bin_tokens: int
) -> Iterator[ShardEstimate]:
    """Yield the estimate of every shard that has examples; all of train have the epochs of one job."""
    epochs = tariff.epochs_for(sum(shard.examples for shard in manifest.shards if shard.split == Split.TRAIN))
    for number, shard in enumerate(manifest.shards):
        if shard.examples:
            tokens = counts.filter(pl.col("shard") == number)["tokens"]
            one = _estimate_one(tokens, tariff, epochs if shard.split == Split.TRAIN else 0, bin_tokens)
            yield structs.replace(one, split=shard.split, region=shard.region, speech_type=shard.speech_type)


def _estimate_one(tokens: pl.Series, tariff: Tariff, epochs: int, bin_tokens: int) -> ShardEstimate:
    """Return the estimate of a part of train whose examples have *tokens*."""
    limit = tariff.model.max_example_tokens
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
        price_usd=tariff.usd(billed),
        histogram=[bins.get(number, 0) for number in range(BINS)],
    )


def _samples(total: ShardEstimate, sample: int | None, tariff: Tariff) -> list[SampleEstimate]:
    """Return estimates of samples of train in round sizes, of *sample* if given, and of all, the smallest first."""
    sizes = sorted({size for size in (*_SIZES, sample or 0, total.examples) if 0 < size <= total.examples})
    rows = []
    for size in sizes:
        epochs = tariff.epochs_for(size)
        # An example's share of the bill, which knows what is cut.
        billed = round(total.billed_tokens / total.epochs / total.examples * size * epochs)
        rows.append(SampleEstimate(examples=size, epochs=epochs, billed_tokens=billed, price_usd=tariff.usd(billed)))
    return rows


def _saved(shards: list[ShardEstimate], manifest: Manifest, tariff: Tariff) -> Saving:
    """Return the price of the duplicates dropped from train; none in a sampled shard, where others would have had their places."""
    kept = [row for row in manifest.shards if row.examples]  # of each of them there is an estimate, in the same order
    saved = [
        (row.dropped.get(DropReason.DUPLICATE, 0), shard.billed_tokens / shard.examples)
        for row, shard in zip(kept, shards, strict=True)
        if row.split == Split.TRAIN and _SAMPLING.isdisjoint(row.dropped)
    ]
    billed = round(sum(duplicates * mean for duplicates, mean in saved))
    return Saving(duplicates=sum(number for number, _ in saved), billed_tokens=billed, price_usd=tariff.usd(billed))


def _quantile(tokens: pl.Series, share: float) -> int:
    return int(tokens.quantile(share, "lower") or 0)


def _largest(tokens: pl.Series) -> int:
    return int(tokens.to_frame().select(pl.all().max()).item() or 0)
