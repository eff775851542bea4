"""
The least number of validation rows of a group, reached by holding out more of its scripts and texts.

Keys that count are then those of one group only, so that no other group changes. What is held out without it stays so; but a
group that had too few rows needs fewer of the further keys when an archive adds to it.
"""

from math import ceil

import polars as pl

from saturi.etl.select.decisions import TEXT_HASHES
from saturi.etl.select.split import PLACES, SPLIT, SplitRule
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import Dedup, Split

_STEPS = 2**20
"""Bounds are multiples of one part of it: exact in JSON."""


def with_least(decisions: pl.DataFrame, options: BuildOptions) -> tuple[pl.DataFrame, float | None]:
    """
    Return *decisions* on a whole group with the least number of validation rows, and the share of keys that are held out.

    Repetitions count once where they are dropped. Never more than half of the rows are held out. The share is None where
    the split does not follow from keys.

    Args:
        decisions: Columns `split`, `reason`, the hashes of the texts, and `place`.
        options: Those of the build.
    """
    if options.validation == "official":
        return decisions, None
    rule = SplitRule.of(options)
    bound = _bound(decisions, rule, options) if options.min_validation else rule.held_out
    if bound <= rule.held_out:
        return decisions, rule.held_out
    held_out = pl.col("place") < int(bound * PLACES)
    split = pl.when(held_out).then(pl.lit(Split.VALIDATION.value, SPLIT)).otherwise("split")
    return decisions.with_columns(split=split), bound


def _bound(decisions: pl.DataFrame, rule: SplitRule, options: BuildOptions) -> float:
    """Return the share of keys below which there are as many rows as asked for, or as are had without taking half."""
    kept = decisions.filter(pl.col("reason").is_null())
    if options.dedup is not Dedup.NONE:
        equal = TEXT_HASHES if options.dedup is Dedup.PAIR else TEXT_HASHES[:1]
        kept = kept.unique(equal, keep="first", maintain_order=True)
    below = kept.drop_nulls("place").group_by("place").len().sort("place").with_columns(rows=pl.col("len").cum_sum())
    below = below.filter(pl.col("rows") <= kept.height // 2)
    if below.is_empty():
        return rule.held_out
    enough = below.filter(pl.col("rows") >= options.min_validation)
    last: int = enough["place"][0] if enough.height else below["place"][-1]
    return ceil((last + 1) * _STEPS / PLACES) / _STEPS
