"""
Cleaning of texts: markup is removed, or drops the utterance with a reason; a text without any keeps every byte.

Markup that is left when all rules have had their turn, and is not to be kept, drops the utterance: so no known markup
ever gets into an example.
"""

from collections.abc import Container, Sequence
from functools import lru_cache

import polars as pl

from saturi.etl.select.markup import RULES, CleanSettings, Rule
from saturi.schemas.cleaning import Action
from saturi.schemas.terms import DropReason

TEXTS = ("source", "target")
"""The columns of texts: dialect and standard Korean of a pair."""

UNCLEAN = "unclean"
"""The column with the reason why cleaning drops an utterance: a `DropReason`, or null where it is kept."""

# A column of one value that is made of a series is there in 0.01 ms; of an expression in 0.1 to 0.4 ms, which is a query.
_NO_REASON = pl.Series(UNCLEAN, [None], dtype=pl.String)

_FULL_WIDTH = {chr(0xFF01 + number): chr(0x21 + number) for number in range(94)}
"""ASCII as it is printed as wide as Hangul (`＃`, `（`, `０`), in which markup and personal data are looked for, too."""

# All that may not be composed, or that composes with what stands before it (Unicode 17, NFC_Quick_Check), and some more.
_UNCOMPOSED = (
    r"[\x{300}-\x{387}\x{483}-\x{10FF}\x{1161}-\x{1175}\x{11A8}-\x{11C2}\x{1200}-\x{1FFF}\x{2000}\x{2001}"
    r"\x{20D0}-\x{20FF}\x{2126}\x{212A}\x{212B}\x{2329}\x{232A}\x{2ADC}\x{2C00}-\x{2DFF}\x{302A}-\x{302F}"
    r"\x{3099}\x{309A}\x{A600}-\x{ABFF}\x{F900}-\x{FB4F}\x{FE20}-\x{FE2F}\x{10000}-\x{1EFFF}\x{2F800}-\x{2FA1F}]"
)
_UNUSUAL = rf"{_UNCOMPOSED}|[\x{{FF01}}-\x{{FF5E}}]"

_ARISING = ("space", "phone")
"""Rules whose hint may come up when others take out what is between two characters; the hint of any other is one character, which
no rule puts in."""

_HINTED = [pl.any_horizontal(pl.col(TEXTS).str.contains(rule.hint)).any().alias(rule.name) for rule in RULES]


def clean(frame: pl.DataFrame, settings: CleanSettings | None) -> pl.DataFrame:
    """
    Return *frame* with clean texts, composed (NFC), and with the column `UNCLEAN`.

    Args:
        frame: Columns `source` (dialect) and `target` (standard Korean), texts or null; others stay.
        settings: What each rule does; None to leave every text as it is.
    """
    reasons = _NO_REASON.new_from_index(0, frame.height)
    if settings is None:
        return frame.hstack([reasons])
    actions = [(rule, rule.action(settings)) for rule in RULES]
    active = tuple(rule for rule, action in actions if action is not Action.KEEP)
    places = suspects(frame, active)
    if places.is_empty():
        return frame.hstack([reasons])
    suspected = frame[places]
    concerned = rules_concerned(suspected)
    mended = suspected.lazy().select(pl.col(TEXTS).str.normalize("NFC"))
    for rule, action in actions:
        if action is Action.REWRITE and rule in concerned:
            mended = mended.with_columns(rule.mend(text, text) for text in TEXTS)
    cleaned = count_residues(mended, concerned).with_columns(_reason(active).alias(UNCLEAN)).collect()
    return frame.with_columns(
        series.scatter(places, cleaned[series.name]) for series in (frame["source"], frame["target"], reasons)
    )


def compose(frame: pl.DataFrame) -> pl.DataFrame:
    """Return *frame* with `source` and `target` composed (NFC), so that equal texts are equal bytes."""
    composed = []
    for text in frame.select(TEXTS):
        places = text.str.contains(_UNCOMPOSED).fill_null(value=False).arg_true()
        composed.append(text.scatter(places, text[places].str.normalize("NFC")) if places.len() else text)
    return frame.with_columns(composed)


def suspects(frame: pl.DataFrame, rules: Sequence[Rule] = RULES) -> pl.Series:
    """
    Return the places of the rows of *frame* with a `source` or `target` that may not be clean; all others are.

    Args:
        frame: Columns `source` and `target`.
        rules: The rules whose markup is looked for.
    """
    return frame.select(_are_suspects(tuple(rules))).to_series()


@lru_cache(maxsize=16)
def _are_suspects(rules: tuple[Rule, ...]) -> pl.Expr:
    """Return the places of the rows in which a hint of *rules* is found."""
    hints = "|".join(dict.fromkeys([_UNUSUAL, *(rule.hint for rule in rules)]))
    return pl.arg_where(pl.any_horizontal(pl.col(*TEXTS).str.contains(hints).fill_null(value=False)))


def rules_concerned(frame: pl.DataFrame) -> frozenset[Rule]:
    """
    Return the rules whose markup may be in *frame* (columns `source` and `target`), as it is or while it is mended.

    All others need not be looked for: Polars keeps 32 compiled patterns and there are 50, which all together take 60 ms.
    """
    hinted = frame.select(map(_folded, TEXTS)).select(_HINTED).row(0, named=True)
    return frozenset(rule for rule in RULES if rule.name in _ARISING or hinted[rule.name])


def count_residues(frame: pl.LazyFrame, concerned: Container[Rule] = RULES) -> pl.LazyFrame:
    """
    Return *frame* (columns `source` and `target`) with a column for each rule, of its name: how often a row has its markup.

    A rule's turn comes when all before it have mended a copy of the texts, composed and of ASCII width, whatever the
    options; but white space is that of the texts themselves, since other markup leaves some behind when it is taken out.

    Args:
        concerned: Those of `rules_concerned`, or all; of any other there is none.
    """
    copies = {text: f"mended_{text}" for text in TEXTS}
    frame = frame.with_columns(_folded(text).alias(copy) for text, copy in copies.items())
    for rule in RULES:
        if rule not in concerned:
            frame = frame.with_columns(pl.lit(0, pl.UInt32).alias(rule.name))
            continue
        columns = TEXTS if rule.name == "space" else copies.values()
        matches = pl.sum_horizontal(rule.matches(column) for column in columns)
        frame = frame.with_columns(matches.alias(rule.name), *(rule.mend(copy, text) for text, copy in copies.items()))
    return frame.drop(copies.values())


def _folded(text: str) -> pl.Expr:
    """Return the column *text* composed, and what is as wide as Hangul as ASCII."""
    return pl.col(text).str.normalize("NFC").str.replace_many(_FULL_WIDTH)


def _reason(rules: Sequence[Rule]) -> pl.Expr:
    """Return the first of all reasons for which markup of one of *rules* is left; null where none is."""
    for_reason = sorted(rules, key=lambda rule: list(DropReason).index(rule.reason))
    return pl.coalesce(pl.when(pl.col(rule.name) > 0).then(pl.lit(rule.reason.value)) for rule in for_reason)
