"""The estimate: tokens and price of training on a build, as `estimate --json` prints it."""

from datetime import date

from msgspec import Struct

from saturi.schemas.brief import brief


class ShardEstimate(Struct, frozen=True, kw_only=True):
    """
    Tokens and price of one shard, or of all shards of train, where `region` and `speech_type` are null.

    `p50`, `p95` and `max` are tokens of an example, `over_limit` the examples that the provider cuts. `billed_tokens` is the
    sum of tokens after cutting, times `epochs`; validation is not billed, and has 0 epochs. `histogram` counts examples by
    tokens, in steps of the estimate's `bin_tokens` from 0.
    """

    split: str
    region: str | None = None
    speech_type: str | None = None
    examples: int
    tokens: int
    p50: int
    p95: int
    max: int
    over_limit: int
    epochs: int
    billed_tokens: int
    price_usd: float
    histogram: list[int]


class SampleEstimate(Struct, frozen=True, kw_only=True):
    """Mean price of a random sample of *examples* examples of train."""

    examples: int
    epochs: int
    billed_tokens: int
    price_usd: float


class Saving(Struct, frozen=True, kw_only=True):
    """
    Price of the duplicates dropped from train, in as many epochs.

    Each duplicate is counted as the mean of the examples of its shard. Those of a sampled or balanced shard do not count:
    without deduplication it would be as large.
    """

    duplicates: int
    billed_tokens: int
    price_usd: float


class Estimate(Struct, frozen=True, kw_only=True):
    """
    Tokens, epochs and price of a job on the train shards of a build.

    `exact` is true if tokens were counted with the model's own tokenizer, named by `tokenizer`. `price_as_of` and
    `price_source` are date and source of the price. `no_jobs_from` is the first day on which its provider takes no new jobs,
    `shutdown_date` the day on which the model and its tuned models end, `days_left` the days from today until then; each is
    null if not known. `price_krw` is null without a rate.
    """

    model: str
    tokenizer: str
    exact: bool
    epochs: int
    epochs_given: bool
    max_example_tokens: int | None
    usd_per_million_tokens: float
    price_as_of: date
    price_source: str
    no_jobs_from: date | None
    shutdown_date: date | None
    days_left: int | None
    bin_tokens: int
    shards: list[ShardEstimate]
    total: ShardEstimate
    samples: list[SampleEstimate]
    saved: Saving
    billed_tokens: int
    price_usd: float
    price_krw: int | None

    def __repr__(self) -> str:
        return brief(
            self, model=self.model, epochs=self.epochs, billed_tokens=self.billed_tokens, price_usd=self.price_usd
        )


class Offer(Struct, frozen=True, kw_only=True):
    """
    What training on a build costs for one model at one provider; `model` is `any` where a provider has one price for all.

    `exact` is true if tokens were counted with the model's own tokenizer. The price of a million tokens, and so that of the
    build, is null where it is not known as of `price_as_of`; the latter also where the model takes no such number of epochs.
    `price_krw` is null without a rate. `ends` is the first day on which no job can be created, or the model is gone; null
    where none is known.
    """

    provider: str
    model: str
    exact: bool
    epochs: int
    billed_tokens: int
    usd_per_million_tokens: float | None
    price_usd: float | None
    price_krw: int | None
    price_as_of: date
    ends: date | None
