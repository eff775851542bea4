"""
Clean texts: mend the markup of a text or say why its utterance is dropped; a text without any keeps every byte.

Markup that is left when all rules have had their turn, and is not to be kept, drops the utterance: so no known markup
ever gets into an example.
"""

from collections.abc import Sequence

import polars as pl

from etl.select.markup import RULES, CleanSettings, Rule
from schemas.cleaning import Action
from schemas.terms import DropReason

TEXTS = ("source", "target")
"""The columns of texts: dialect and standard Korean of a pair."""

UNCLEAN = "unclean"
"""The column with the reason why cleaning drops an utterance: a `DropReason`, or null where it is kept."""


def clean(frame: pl.DataFrame, settings: CleanSettings | None) -> pl.DataFrame:
    """
    Return *frame* with clean texts, and with the column `UNCLEAN`.

    Args:
        frame: Columns `source` (dialect) and `target` (standard Korean), texts or null; others stay.
        settings: What each rule does; None to leave every text as it is.
    """
    actions = [(rule, rule.action(settings)) for rule in RULES] if settings is not None else []
    active = [rule for rule, action in actions if action is not Action.KEEP]
    reasons = pl.repeat(None, frame.height, dtype=pl.String, eager=True).alias(UNCLEAN)
    places = suspects(frame, active)
    if places.is_empty():
        return frame.with_columns(reasons)
    mended = frame[places].lazy().select(TEXTS)
    for rule, action in actions:
        if action is Action.REWRITE:
            mended = mended.with_columns(rule.mend(text, text) for text in TEXTS)
    cleaned = count_residues(mended).with_columns(_reason(active).alias(UNCLEAN)).collect()
    return frame.with_columns(
        series.scatter(places, cleaned[series.name]) for series in (frame["source"], frame["target"], reasons)
    )


def suspects(frame: pl.DataFrame, rules: Sequence[Rule] = RULES) -> pl.Series:
    """Return the places of the rows of *frame* with a `source` or `target` that may hold markup of *rules*; no other does."""
    if not rules:
        return pl.Series(dtype=pl.UInt32)
    hints = "|".join(dict.fromkeys(rule.hint for rule in rules))
    return (
        frame.select(pl.any_horizontal(pl.col(*TEXTS).str.contains(hints)))
        .to_series()
        .fill_null(value=False)
        .arg_true()
    )


def count_residues(frame: pl.LazyFrame) -> pl.LazyFrame:
    """
    Return *frame* (columns `source` and `target`) with a column for each rule, of its name: how often a row has its markup.

    A rule's turn comes when all before it have mended a copy of the texts, whatever the options; but white space is that
    of the texts themselves, since other markup leaves some behind when it is taken out.
    """
    copies = {text: f"mended_{text}" for text in TEXTS}
    frame = frame.with_columns(pl.col(text).alias(copy) for text, copy in copies.items())
    for rule in RULES:
        columns = TEXTS if rule.name == "space" else copies.values()
        matches = pl.sum_horizontal(pl.col(column).str.count_matches(rule.finds) for column in columns)
        frame = frame.with_columns(matches.alias(rule.name), *(rule.mend(copy, text) for text, copy in copies.items()))
    return frame.drop(copies.values())


def _reason(rules: Sequence[Rule]) -> pl.Expr:
    """Return the first of all reasons for which markup of one of *rules* is left; null where none is."""
    for_reason = sorted(rules, key=lambda rule: list(DropReason).index(rule.reason))
    return pl.coalesce(pl.when(pl.col(rule.name) > 0).then(pl.lit(rule.reason.value)) for rule in for_reason)
