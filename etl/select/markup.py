"""
The markup of transcribers, the personal data and the stray white space that cleaning knows, a rule each.

Each rule mends the text, drops the utterance or does nothing, as the options say. The rules take their turns in the
order of `RULES`, since one makes sense of what another would tear apart: a double transcription before all other
brackets, a masked name (`#이름#`) before an interjection (`#오메`), and numbers and addresses last, when nothing hides
them any more.

The marks are those of AI-Hub's "한국어 방언 발화" of 2020; texts of 2022 have only masked names. Nothing else is
normalised: old Hangul (ᆞ, ㆍ) is text.
"""

from typing import NamedTuple

import polars as pl

from etl.settings.options import BuildOptions
from schemas.cleaning import Action, CleanRules, Pii
from schemas.terms import DropReason

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


class CleanSettings(NamedTuple):
    """What becomes of each kind of markup, and of personal data."""

    rules: CleanRules
    pii: Pii

    @classmethod
    def of(cls, options: BuildOptions) -> "CleanSettings | None":
        """Return the settings in *options*, or None where texts stay as they are."""
        return cls(options.clean_rules, options.pii) if options.clean else None


class Rewrite(NamedTuple):
    """What a pattern is replaced by, in the source and, where that is another, in the target."""

    pattern: str
    source: str
    target: str | None = None

    def replacement(self, text: str) -> str:
        """Return the replacement in *text*, a `source` or a `target`."""
        return self.target if text == "target" and self.target is not None else self.source


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

    def action(self, settings: CleanSettings) -> Action:
        """Return what this rule does by *settings*."""
        return _BY_PII[settings.pii] if self.personal else Action(getattr(settings.rules, self.name))

    def mend(self, column: str, text: str) -> pl.Expr:
        """Return *column* with this markup mended, as it is in *text*, a `source` or a `target`."""
        mended = pl.col(column)
        for rewrite in self.rewrites:
            mended = mended.str.replace_all(rewrite.pattern, rewrite.replacement(text))
        return mended


def _personal(name: str, hint: str, finds: str) -> Rule:
    return Rule(name, DropReason.PERSONAL_DATA, hint, finds, (Rewrite(finds, MASK),), personal=True)


RULES = (
    Rule(
        "double",
        DropReason.MARKUP,
        hint=r"\(",
        finds=r"\([^()]*\)\s*/\s*\([^()]*\)|\(\([^()]*\)\)\s*/\s*\(\([^()]*\)\)",
        rewrites=(
            Rewrite(r"\(\(([^()]*)\)\)\s*/\s*\(\(([^()]*)\)\)", "((${1}))", "((${2}))"),  # unsure in both texts
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
        rewrites=(),  # what was meant is unknown, so that it is dropped even where it should be mended
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
