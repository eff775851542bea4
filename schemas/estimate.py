"""An estimate: what training on a build would cost, as `estimate --json` prints it."""

from datetime import date

from msgspec import Struct


class ShardEstimate(Struct, frozen=True, kw_only=True):
    """
    Tokens and price of one shard; of all shards of train, where `region` and `speech_type` are null.

    `p50`, `p95` and `max` are tokens of an example, `over_limit` the examples that are cut. `billed_tokens` is the sum of
    what is left of them, times `epochs`; validation is not billed, and has 0 epochs. `histogram` counts examples by their
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
    """What so many examples of train, drawn at random, would cost on average."""

    examples: int
    epochs: int
    billed_tokens: int
    price_usd: float


class Saving(Struct, frozen=True, kw_only=True):
    """
    What the duplicates dropped from train would have cost, in as many epochs.

    An estimate: each is taken to have as many tokens as the examples of its shard have on average. Those of a shard that was
    sampled or balanced do not count: without deduplication it would be as large.
    """

    duplicates: int
    billed_tokens: int
    price_usd: float


class Estimate(Struct, frozen=True, kw_only=True):
    """
    What a job on the train shards of a build would cost.

    `exact` says whether tokens were counted with the model's own tokenizer, named by `tokenizer`. `price_as_of` and
    `price_source` are those of the price list; `no_jobs_from` is when its provider takes no new jobs, `shutdown_date` when
    the model and its tunes end, each if that is known, and `days_left` how long the latter is from today. `price_krw` is
    there where a rate was given.
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
