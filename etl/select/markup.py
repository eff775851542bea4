r"""
Rules of cleaning: markup of transcribers, personal data, stray characters.

Each rule mends the text, drops the utterance or does nothing, as the options say. The rules take their turns in the
order of `RULES`, since one makes sense of what another would tear apart: characters without width before all, a double
transcription before all other brackets, a masked name (`#이름#`) before an interjection (`#오메`), and numbers and
addresses last, when nothing hides them any more.

The marks are those of AI-Hub's "한국어 방언 발화" of 2020; texts of 2022 have only masked names. All of them also occur in
ordinary text (`9시~오후 6시`, `한-미`, `x축`, `H&M`, `C#`), which a rule knows by what stands around it and leaves alone.
Where neither is sure (`서울~부산`, a drawn-out syllable or a way), the mark is left, and so the utterance is dropped: no
known markup gets into an example, and no two words run together.

Old Hangul (ᆞ, ㆍ) is text.
"""

from typing import NamedTuple

import polars as pl

from saturi.etl.settings.options import BuildOptions
from saturi.schemas.cleaning import Action, CleanRules, Pii
from saturi.schemas.terms import DropReason

MASK = "○○"
"""What masked personal data becomes, as in Korean print ("김○○ 씨")."""

_CUT = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands for ordinary text where a rule looks for its marks: no mark, letter, number or white space."""

_BY_PII = {Pii.DROP: Action.DROP, Pii.MASK: Action.REWRITE, Pii.KEEP: Action.KEEP}


class CleanSettings(NamedTuple):
    """Treatment of each kind of markup, and of personal data."""

    rules: CleanRules
    pii: Pii

    @classmethod
    def of(cls, options: BuildOptions) -> "CleanSettings | None":
        """Return the settings in *options*, or None where texts stay as they are."""
        return cls(options.clean_rules, options.pii) if options.clean else None


class Rewrite(NamedTuple):
    """Replacement of a pattern, in the source and, if different, in the target."""

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
        ordinary: Ordinary text with the same characters, in which no markup is looked for; none if empty.
        personal: Whether it is personal data, on which `--pii` decides.
    """

    name: str
    reason: DropReason
    hint: str
    finds: str
    rewrites: tuple[Rewrite, ...]
    ordinary: str = ""
    personal: bool = False

    def action(self, settings: CleanSettings) -> Action:
        """Return the action of this rule in *settings*."""
        return _BY_PII[settings.pii] if self.personal else Action(getattr(settings.rules, self.name))

    def matches(self, column: str) -> pl.Expr:
        """Return the occurrences of this markup in each text of *column*."""
        text = pl.col(column)
        if self.ordinary:
            text = text.str.replace_all(self.ordinary, _CUT)
        return text.str.count_matches(self.finds)

    def mend(self, column: str, text: str) -> pl.Expr:
        """Return *column* with this markup mended, as it is in *text*, a `source` or a `target`."""
        mended = pl.col(column)
        for rewrite in self.rewrites:
            mended = mended.str.replace_all(rewrite.pattern, rewrite.replacement(text))
        return mended


def _personal(name: str, hint: str, finds: str) -> Rule:
    return Rule(name, DropReason.PERSONAL_DATA, hint, finds, (Rewrite(finds, MASK),), personal=True)


# Of ASCII letters and digits only, so that a number ends before a particle: "010-1234-5678로".
_EDGE = r"(?-u:\b)"
_BEFORE = r"[\s.,?!…\"'(]"  # a word
_NUMBER = r"\p{Nd}\p{Hangul}{0,3}"  # and its unit: "3", "3시간"

# Characters that show nothing: controls, soft hyphens, joiners, marks of direction, byte order marks, tags. Between the
# parts of an emoji a joiner is text; variation selectors and the fillers of old Hangul are text, too.
_INVISIBLE = (
    r"[\x00-\x08\x0E-\x1B\x7F-\x{84}\x{86}-\x{9F}\x{AD}\x{34F}\x{61C}\x{180E}\x{200B}-\x{200F}\x{202A}-\x{202E}"
    r"\x{2060}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}\x{E0001}-\x{E007F}]"
)
_EMOJI_JOINER = r"\p{Extended_Pictographic}[\x{FE0F}\x{1F3FB}-\x{1F3FF}]?\x{200D}"
# White space of other kinds, and what looks like it: separators of ASCII, an empty cell of Braille, fillers of Hangul.
_ODD_SPACE = r"[^\S ]|[\x1C-\x1F\x{2800}\x{3164}\x{FFA0}]"
_ANY_SPACE = r"[\s\x1C-\x1F\x{2800}\x{3164}\x{FFA0}]"

# Brackets in brackets with text between the two that open, as in print: "(그때 (60년대))".
_NESTED = r"\([^()]*[^()\s][^()]*\([^()]*\)[^()]*\)"

# `&name1&`, with a blank or without one of the two marks, too, but not `H&M&B`, `rock&roll`, `&amp;`: a mark of one that is
# masked stands where no word goes on, unless a number or a word for what is masked is between them.
_AND, _HASH = "[&＆]", "[#＃]"
_MASKED_WORD = (
    r"(?:이름|성명|성함|전화|주소|상호|회사|기관|소속|계좌|카드|주민|번호|이메일|아이디|나이|생년월일)[\pL]{0,6}\p{Nd}*"
)
_KINDS = r"(?:name|naem|company|address|tel|card|account|social)"
_AND_WORD = rf"(?:\pL[\pL_-]*\s?\p{{Nd}}+|{_KINDS}[a-z_-]*|{_MASKED_WORD})"
_HALF_WORD = rf"(?:{_KINDS}[a-z_-]*\p{{Nd}}*|[A-Za-z][A-Za-z_-]{{2,}}\p{{Nd}}+)"
_ANY_HALF_WORD = r"[a-z][a-z_-]{2,}"  # unless it is one of two words: "rock &roll"
_HASH_WORD = (
    rf"{_HASH}\pL(?:[^#＃]{{0,20}}[^#＃\s])?{_HASH}"  # no white space at the ends: "#오메 좋네 #아따" is no name
)
_MASKED = (
    rf"()(?:{_AND}\s?{_AND_WORD}\s?{_AND}|{_AND}[a-z][a-z_-]{{3,}}{_AND}|{_HASH}{_MASKED_WORD}{_HASH})()",
    rf"()(?:{_AND}[a-z][a-z_-]{{2,}}\p{{Nd}}+|[a-z][a-z_-]{{2,}}\p{{Nd}}+{_AND})()",
    rf"(^|[^\pL\p{{Nd}}])(?:{_AND}\pL[\pL_-]*{_AND})()",
    rf"()(?:{_AND}\pL[\pL_-]*{_AND})([^\pL\p{{Nd}}]|$)",
    rf"(^|[^\pL\p{{Nd}}])(?:{_AND}{_HALF_WORD})([^A-Za-z0-9_;-]|$)",
    rf"(^\s*|[^\pL\p{{Nd}}\s]\s*|[^A-Za-z\s]\s+)(?:{_AND}{_ANY_HALF_WORD})([^A-Za-z0-9_;-]|$)",
    rf"(^|[^A-Za-z&＆])(?:{_HALF_WORD}{_AND})([^\pL\p{{Nd}}]|$)",
    rf"(^|[^A-Za-z&＆])(?:{_ANY_HALF_WORD}{_AND})([^\pL\p{{Nd}}\s]|\s+[^A-Za-z\s]|\s*$)",
    rf"(^|[^A-Za-z0-9#＃])(?:{_HASH_WORD})()",
)
_ANY_MASKED = "|".join(pattern.replace("(^", "(?:^").replace("([", "(?:[").replace("()", "") for pattern in _MASKED)
_ORDINARY_HASH = rf"[A-Za-z]{_HASH}|{_HASH}\p{{Nd}}"  # C#, #1

# A hyphen within a word or between numbers, a minus, a dash between words.
_ORDINARY_HYPHEN = (
    r"[^\s.,?!…\"'(-]+(?:-+[^\s.,?!…-]+)+"
    rf"|{_NUMBER}(?:\s*-+\s*\p{{Nd}}\p{{Hangul}}{{0,3}})+"
    r"|[^\s-]\s+-+\s+[^\s-]"
    r"|(?:^|[\s(])-+\p{Nd}"
)
_TILDE = r"[~～〜∼˜]"
_WORD = r"[^\s~～〜∼˜]"
_OTHER_WORD = rf"[\pL\p{{Nd}}]{_WORD}*"
_WITH_NUMBER = rf"{_WORD}*\p{{Nd}}{_WORD}*"
# A range has a number in one of its parts ("9시~오후 6시", "2~삼일", "9월 ~ 이듬해", "~3월"); "A~Z", "/~kim".
_RANGE = (
    rf"(?:{_WORD}+{_TILDE}+)+{_WITH_NUMBER}(?:{_TILDE}+{_OTHER_WORD})*|{_WITH_NUMBER}(?:{_TILDE}+{_OTHER_WORD})+"
    rf"|{_WITH_NUMBER}\s+{_TILDE}+\s+{_OTHER_WORD}|{_WITH_NUMBER}\s*{_TILDE}+\s*{_WITH_NUMBER}"
    rf"|(?:^|\s){_TILDE}+\s*{_WITH_NUMBER}"
    rf"|[A-Za-z/](?:{_TILDE}+|\s+{_TILDE}+\s+)[A-Za-z]"
)
# A range or a syllable drawn out: "서울~부산", "봄 ~ 가을", "봄~가을", "삼~사월", "월~금", "3월~ 다시".
_NUMERAL_OR_DAY = "[영공일이삼사오육칠팔구십백천만억한두세네월화수목금토]"
_TIME = "(?:봄|여름|가을|겨울|아침|낮|저녁|밤|새벽)"
_UNSURE_RANGE = (
    rf"\p{{Hangul}}{{2}}{_TILDE}+\p{{Hangul}}{{2}}|{_WORD}\s+{_TILDE}+\s+{_WORD}"
    rf"|{_NUMERAL_OR_DAY}{_TILDE}+{_NUMERAL_OR_DAY}|{_TIME}{_TILDE}+{_TIME}|{_WITH_NUMBER}{_TILDE}+"
)
# x as a name, a sign or a number: "x세대", "x축", "x-ray", "3 x 4", "y = x", "o/x".
_ORDINARY_X = (
    rf"{_EDGE}x(?:세대|좌표|절편|염색체|방향|레이|[축값표선](?:[은는이가을를의에도과와만로]|[^\p{{Hangul}}]|$)|-[A-Za-z])"
    rf"|{_NUMBER}\s?x\s?\p{{Nd}}|[=+*<>]\s?x{_EDGE}|{_EDGE}x\s?[=+*<>]|{_EDGE}o\s?[/,·]?\s?x{_EDGE}|[A-Za-z]\(x\)"
)

RULES = (
    Rule(
        "invisible",
        DropReason.MARKUP,
        hint=_INVISIBLE,
        finds=_INVISIBLE,
        ordinary=_EMOJI_JOINER,
        rewrites=(Rewrite(rf"({_EMOJI_JOINER})|{_INVISIBLE}", "${1}"),),
    ),
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
        ordinary=_NESTED,
        rewrites=(),  # what was meant is unknown, so that it is dropped even where it should be mended
    ),
    Rule(
        "masked",
        DropReason.PERSONAL_DATA,
        hint=r"[&#]",
        finds=_ANY_MASKED,
        rewrites=tuple(Rewrite(pattern, f"${{1}}{MASK}${{2}}") for pattern in _MASKED),
        personal=True,
    ),
    Rule(
        "interjection",
        DropReason.MARKUP,
        hint=r"#",
        finds=_HASH,
        ordinary=f"{_ANY_MASKED}|{_ORDINARY_HASH}",  # masked names, where they are kept, are stepped over
        rewrites=(Rewrite(rf"({_ANY_MASKED}|{_ORDINARY_HASH})|{_HASH}", "${1}"),),
    ),
    Rule(
        "stutter",
        DropReason.MARKUP,
        hint=r"-",
        finds=r"-",
        ordinary=_ORDINARY_HYPHEN,
        rewrites=(
            Rewrite(rf"(^|{_BEFORE})(?:-+(?:\p{{Hangul}}+-+|[0-9]+-+\s)\s*)+", "${1}"),
            Rewrite(rf"({_ORDINARY_HYPHEN})|(^|\s)-+(\p{{Hangul}})|-+", "${1}${2}${3}"),
        ),
    ),
    Rule(
        "lengthening",
        DropReason.MARKUP,
        hint=_TILDE,
        finds=_TILDE,
        ordinary=_RANGE,
        rewrites=(Rewrite(rf"({_RANGE}|{_UNSURE_RANGE})|{_TILDE}+", "${1}"),),
    ),
    Rule(
        "unclear",
        DropReason.UNCLEAR,
        hint=r"x",
        finds=rf"{_EDGE}x+{_EDGE}",
        ordinary=_ORDINARY_X,
        rewrites=(Rewrite(rf"({_ORDINARY_X})|{_EDGE}x+{_EDGE}", "${1}"),),
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
