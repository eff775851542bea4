"""
Clean texts of transcribers' markup, of personal data and of stray white space; a text without any keeps every byte.

Each rule knows one kind of markup, and mends the text, drops the utterance or does nothing, as the options say. The
rules take their turns in the order of `RULES`, since one makes sense of what another would tear apart: a double
transcription before all other brackets, a masked name (`#이름#`) before an interjection (`#오메`), and numbers and
addresses last, when nothing hides them any more. Whatever is left then, and is not to be kept, drops the utterance: so
no known markup ever gets into an example.

The marks are those of AI-Hub's "한국어 방언 발화" of 2020; texts of 2022 have only masked names. Nothing else is
normalised: old Hangul (ᆞ, ㆍ) is text.
"""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from etl.settings.options import BuildOptions
from schemas.cleaning import Action, Pii
from schemas.terms import DropReason

SIDES = ("source", "target")
"""The columns of texts: the dialect side and the standard side of a pair."""

UNCLEAN = "unclean"
"""The column that says why cleaning drops an utterance: a `DropReason`, or null where it is kept."""

MASK = "○○"
"""What masked personal data becomes, as in Korean print ("김○○ 씨")."""

_BY_PII = {Pii.DROP: Action.DROP, Pii.MASK: Action.REWRITE, Pii.KEEP: Action.KEEP}

# Of ASCII letters and digits only, so that a number ends before a particle: "010-1234-5678로".
_EDGE = r"(?-u:\b)"
# `&name1&`, with a blank or without one of the two marks, too. Between two # there is no white space at the ends, so that
# "#오메 좋네 #아따" is two interjections.
_MASKED = (
    r"&\s?\pL[\pL_-]*\s?[0-9]*\s?&|&[A-Za-z][A-Za-z_-]{2,}[0-9]*|[A-Za-z][A-Za-z_-]{2,}[0-9]*&"
    r"|#[^#\s](?:[^#]{0,20}[^#\s])?#"
)
_BEFORE = r"[\s.,?!…\"'(]"  # a word
_TILDE = r"[~～〜∼]"
_UNIT = r"[\p{Hangul}%]"  # of a number in a range: "3시~4시"
_ODD_SPACE = r"[^\S ]|[\x{200B}\x{2060}\x{FEFF}]"  # and what has no width
_ANY_SPACE = r"[\s\x{200B}\x{2060}\x{FEFF}]"


class Rewrite(NamedTuple):
    """What a pattern is replaced by, in the source and, where that is another, in the target."""

    pattern: str
    source: str
    target: str | None = None

    def on(self, side: str) -> str:
        """Return the replacement in a `source` or in a `target`."""
        return self.target if side == "target" and self.target is not None else self.source


class Rule(NamedTuple):
    """
    One kind of markup.

    Args:
        name: What it is called; where it is not `personal`, a field of `CleanRules`.
        reason: Why an utterance is dropped that has it.
        hint: What every text with this markup has in it; a text without any rule's hint is not looked at again.
        finds: The markup, in a text in which all rules before this one have had their turn.
        rewrites: How it is mended, one step after the other.
        personal: Whether it is personal data, on which `--pii` decides.
    """

    name: str
    reason: DropReason
    hint: str
    finds: str
    rewrites: tuple[Rewrite, ...]
    personal: bool = False

    def action(self, options: BuildOptions) -> Action:
        """Return what *options* say that this rule does."""
        if not options.clean:
            return Action.KEEP
        return _BY_PII[options.pii] if self.personal else Action(getattr(options.clean_rules, self.name))

    def mend(self, column: str, side: str) -> pl.Expr:
        """Return *column* with this markup mended, as it is in a `source` or in a `target`."""
        text = pl.col(column)
        for rewrite in self.rewrites:
            text = text.str.replace_all(rewrite.pattern, rewrite.on(side))
        return text


def _personal(name: str, hint: str, finds: str) -> Rule:
    return Rule(name, DropReason.PERSONAL_DATA, hint, finds, (Rewrite(finds, MASK),), personal=True)


RULES = (
    Rule(
        "double",
        DropReason.MARKUP,
        hint=r"\(",
        finds=r"\([^()]*\)\s*/\s*\([^()]*\)|\(\([^()]*\)\)\s*/\s*\(\([^()]*\)\)",
        rewrites=(
            Rewrite(r"\(\(([^()]*)\)\)\s*/\s*\(\(([^()]*)\)\)", "((${1}))", "((${2}))"),  # unsure on both sides
            Rewrite(r"\(([^()]*)\)\s*/\s*\(([^()]*)\)", "${1}", "${2}"),
        ),
    ),
    Rule(
        "event",
        DropReason.MARKUP,
        hint=r"[{}]",
        finds=r"[{}]",
        rewrites=(Rewrite(r"\{[^{}]*\}|\{[A-Za-z:_-]*|[A-Za-z:_-]*\}|[{}]", " "),),
    ),
    Rule(
        "inaudible",
        DropReason.UNCLEAR,
        hint=r"\(",
        finds=r"\(\s*\(\s*\)\s*\)",
        rewrites=(Rewrite(r"\(\s*\(\s*\)\s*\)", " "),),
    ),
    Rule(
        "unsure",
        DropReason.UNCLEAR,
        hint=r"\(",
        finds=r"\(\s*\([^()]*\)\s*\)",
        rewrites=(Rewrite(r"\(\s*\(([^()]*)\)\s*\)", "${1}"),),
    ),
    Rule(
        "broken",
        DropReason.UNCLEAR,
        hint=r"[()]",
        finds=r"\)\s*/|/\s*\(|\(\s*\(|\)\s*\)",
        rewrites=(),  # nobody can say what was meant, so that it is dropped even where it should be mended
    ),
    _personal("masked", hint=r"[&#]", finds=_MASKED),
    Rule(
        "interjection",
        DropReason.MARKUP,
        hint=r"#",
        finds=r"#",
        rewrites=(Rewrite(rf"({_MASKED})|#", "${1}"),),  # masked names, where they are kept, are stepped over
    ),
    Rule(
        "stutter",
        DropReason.MARKUP,
        hint=r"-",
        finds=rf"(?:^|\s)-+\p{{Hangul}}|(?:^|{_BEFORE})-+(?:\p{{Hangul}}+-|[0-9]+-+\s)"
        r"|-(?:[.,?!…]|\s*$|\s+[^0-9\s])|(?:^|[^0-9\s-])\s*-+\s",
        rewrites=(
            Rewrite(rf"(^|{_BEFORE})(?:-+(?:\p{{Hangul}}+-+|[0-9]+-+\s)\s*)+", "${1}"),
            Rewrite(r"(^|\s)-+(\p{Hangul})", "${1}${2}"),
            Rewrite(r"([0-9](?:\s*-+\s+[0-9]+)+)|-+([\s.,?!…]|$)", "${1}${2}"),
        ),
    ),
    Rule(
        "lengthening",
        DropReason.MARKUP,
        hint=_TILDE,
        finds=rf"(?:^|[^0-9\p{{Hangul}}%\s~～〜∼]|(?:^|[^0-9\p{{Hangul}}%]){_UNIT}|{_UNIT}{_UNIT})\s*{_TILDE}"
        rf"|{_TILDE}\s*(?:[^0-9\s~～〜∼]|$)",
        rewrites=(Rewrite(rf"([0-9]{_UNIT}?(?:\s*{_TILDE}+\s*[0-9]+{_UNIT}?)+)|{_TILDE}+", "${1}"),),
    ),
    Rule(
        "unclear",
        DropReason.UNCLEAR,
        hint=r"x",
        finds=rf"{_EDGE}x+{_EDGE}",
        rewrites=(Rewrite(rf"{_EDGE}x+{_EDGE}", " "),),
    ),
    Rule(
        "space",
        DropReason.MARKUP,
        hint=rf"^\s|\s$|\s\s|{_ODD_SPACE}",
        finds=rf"^\s|\s$|\s\s|{_ODD_SPACE}",
        rewrites=(Rewrite(rf" {_ANY_SPACE}+|(?:{_ODD_SPACE}){_ANY_SPACE}*", " "), Rewrite(r"^ | $", "")),
    ),
    _personal(
        "resident_number",  # 주민등록번호: a date of birth, then 1 to 8 for sex, century and nationality
        hint=r"[0-9]",
        finds=rf"{_EDGE}[0-9]{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[ -]*[1-8][0-9*]{{6}}",
    ),
    _personal(
        "phone",  # mobile, area or internet number, with or without +82; or a mobile number as it is spoken
        hint=r"[0-9]|공일",
        finds=rf"[(+]?{_EDGE}(?:82[ .-]?\(?0?|0)(?:1[016-9]|2|[3-6][1-5]|70|50[0-9])\)?"
        rf"[ .-]{{0,2}}[0-9]{{3,4}}[ .-]{{0,2}}[0-9]{{4}}{_EDGE}"
        r"|공일[공일육칠팔구](?:[ ,-]*(?:에|다시)?[ ,-]*[공영일이삼사오육륙칠팔구]){7,8}",
    ),
    _personal("email", hint=r"@", finds=r"[A-Za-z0-9._%+-]+ ?@ ?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
)
"""Every rule, in the order in which they take their turns."""


def clean(frame: pl.DataFrame, options: BuildOptions) -> pl.DataFrame:
    """
    Return *frame* with clean texts, and with the column `UNCLEAN`.

    Args:
        frame: Columns `source` (the dialect side) and `target` (the standard side), texts or null; others stay.
        options: `clean`, `clean_rules` and `pii`.
    """
    active = [rule for rule in RULES if rule.action(options) is not Action.KEEP]
    reasons = pl.repeat(None, frame.height, dtype=pl.String, eager=True).alias(UNCLEAN)
    places = suspects(frame, active)
    if places.is_empty():
        return frame.with_columns(reasons)
    mended = frame[places].lazy().select(SIDES)
    for rule in active:
        if rule.action(options) is Action.REWRITE:
            mended = mended.with_columns(rule.mend(side, side) for side in SIDES)
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
        frame.select(pl.any_horizontal(pl.col(*SIDES).str.contains(hints)))
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
    copies = {side: f"mended_{side}" for side in SIDES}
    frame = frame.with_columns(pl.col(side).alias(copy) for side, copy in copies.items())
    for rule in RULES:
        texts = SIDES if rule.name == "space" else copies.values()
        found = pl.sum_horizontal(pl.col(text).str.count_matches(rule.finds) for text in texts)
        frame = frame.with_columns(found.alias(rule.name), *(rule.mend(copy, side) for side, copy in copies.items()))
    return frame.drop(copies.values())


def _reason(rules: Sequence[Rule]) -> pl.Expr:
    """Return the first of all reasons for which markup of one of *rules* is left; null where none is."""
    for_reason = sorted(rules, key=lambda rule: list(DropReason).index(rule.reason))
    return pl.coalesce(pl.when(pl.col(rule.name) > 0).then(pl.lit(rule.reason.value)) for rule in for_reason)
