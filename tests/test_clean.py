"""Cleaning: every row of the markup table, what each rule does by its action, and that nothing known is left."""

import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
from corpora import ANSWER_ZIP, member, stem, write_zip
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from runs import counts_of, one_thread, pairs_of

from saturi.etl.pipeline.build import build
from saturi.etl.select.clean import UNCLEAN, clean, count_residues, rules_concerned, suspects
from saturi.etl.select.markup import MASK, RULES, CleanSettings
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.cleaning import Action, CleanRules, Pii

UNTOUCHED = [
    "가가 가가",
    "ᄒᆞᆫ저 옵서ㆍ",
    "한-미-일",
    "웃음(소리)",
    "김○○ 씨",
    "㈜",
    "",
]
ORDINARY = {
    "stutter": [
        "3 - 4일",
        "영하 -5도",
        "100-200",
        "5월- 6월",
        "서울 - 부산",
        "e-mail 주소",
        "COVID-19",
        "-3.5도까지",
        "(-5도)",
        "(가)-(나)",
    ],
    "lengthening": [
        "3~4일",
        "3 ~ 4일",
        "3시~4시",
        "10% ~ 20%",
        "2019년～2020년 5∼6월",
        "1,000~만원",
        "9시~오후 6시",
        "오전 9시 ~ 오후",
        "2~삼일",
        "500원~천원",
        "9월 ~ 이듬해",
        "오후~6시",
        "9시~오후~6시",
        "~3월 말",
        "3명이~4명",
        "３～４일",
        "A~Z",
        "$5~$10",
        "1~2학년 ~ 3학년",
    ],
    "unclear": [
        "x세대",
        "x축",
        "x축이",
        "3 x 4",
        "3미터 x 4미터",
        "y = x",
        "x+1",
        "o/x 문제",
        "x-ray",
        "엑스선 taxi",
        "xylo",
        "X 표",
        "2x3",
    ],
    "masked": [
        "R&B 음악",
        "rock&roll",
        "rock &roll",
        "rock& roll",
        "rock & roll",
        "H&M&B",
        "AT&T",
        "Q&A",
        "삼성&LG",
        "가&나&다",
        "Tom & Jerry",
        "연구 & 개발 & 교육",
        "가 &amp; 나",
        "&lt;",
        "a=1&b=2",
    ],
    "interjection": ["C#", "C#과 F#", "#1 번", "1번 #2번"],
    "broken": ["(그때 (60년대))", "그게 (그 뭐냐 (그거) 말이다)", "f(x)", ":)"],
    "phone": ["1588", "2002 2003 2004", "1,234,567", "0.123 4567", "02 점"],
    "resident_number": ["20230101", "9788901234567", "2023 0101 1234"],
    "email": ["@ 표시", "골뱅이@"],
    "invisible": ["👨\u200d👩\u200d👧", "❤\ufe0f\u200d🔥", "ᅟᆞ"],
}
"""Ordinary text by the rule whose mark it resembles."""
UNSURE = [
    "서울~부산",
    "봄 ~ 가을",
    "봄~가을",
    "낮~밤",
    "삼~사월",
    "천원~만원",
    "월~금",
    "오전~오후",
    "3월~ 다시",
    "100~",
]
"""Texts of which nobody can say whether a tilde is a range or a syllable drawn out."""
INVISIBLE = (
    "\0\x08\x1b\x7f\x80\x9f\xad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2064"
    "\u2066\u2069\u206f\ufeff\ufff9\U000e0001\U000e0061"
)
BLANKS = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2003\u2009\u200a\u2028\u2029\u202f\u205f\u2800\u3000\u3164\uffa0"
)
NAMES = [field.name for field in structs.fields(CleanRules)]
MARKUP: list[tuple[str, str, str, str | None, str]] = [
    ("double", "(마이)/(많이) 왔나", "마이 왔나", "많이 왔나", "markup"),
    ("double-apart", "(마이) / (많이) (왔나)/(왔니)", "마이 왔나", "많이 왔니", "markup"),
    ("double-unsure", "((마이))/((많이)) 왔나", "마이 왔나", "많이 왔나", "markup"),
    ("double-empty", "참말 ()/(로)", "참말", "참말 로", "markup"),
    ("event", "왔나 {laughing} 그래", "왔나 그래", None, "markup"),
    ("event-within", "좋다{clearing}그래", "좋다 그래", None, "markup"),
    ("event-open", "왔나 {laughing", "왔나", None, "markup"),
    ("event-closed", "laughing} 왔나", "왔나", None, "markup"),
    ("inaudible", "(()) 왔나", "왔나", None, "unclear"),
    ("inaudible-apart", "왔나 (( ))", "왔나", None, "unclear"),
    ("unsure", "((뭐라)) 카노", "뭐라 카노", None, "unclear"),
    ("unsure-apart", "( (뭐라) ) 카노", "뭐라 카노", None, "unclear"),
    ("interjection", "#오메 좋네 #아따", "오메 좋네 아따", None, "markup"),
    ("stutter", "-태- 태교", "태교", None, "markup"),
    ("stutter-twice", "인자 -태- -태교- 태교를", "인자 태교를", None, "markup"),
    ("stutter-joined", "-태-태교", "태교", None, "markup"),
    ("stutter-quoted", '"-태- 태교" 왔나.-태-태교', '"태교" 왔나.태교', None, "markup"),
    ("stutter-number", "-3- 3월", "3월", None, "markup"),
    ("stutter-trailing", "그- 그래서 그-.", "그 그래서 그.", None, "markup"),
    ("stutter-leading", "인자 -태 태교", "인자 태 태교", None, "markup"),
    ("lengthening", "그~래서 3~4일 아~~", "그래서 3~4일 아", None, "markup"),
    ("lengthening-number", "3명이~4명 아~ 3 100", "3명이~4명 아 3 100", None, "markup"),
    ("lengthening-attached", "마~이 왔네~.", "마이 왔네.", None, "markup"),
    ("unclear", "뭐 x 카노 xx는", "뭐 카노 는", None, "unclear"),
    ("space", "\u3000왔나  \t그래 \n", "왔나 그래", None, "markup"),
    ("invisible", "마이\ufeff왔\u200b데이", "마이왔데이", None, "markup"),
]
BROKEN = ["(마이)/많이", "마이/(많이)", "((마이))/(많이)", "((뭐라) 카노", "(뭐라)) 카노"]
PERSONAL = [
    ("name", "&name1& 씨가 왔다", f"{MASK} 씨가 왔다"),
    ("company", "거기 &company-name2&에", f"거기 {MASK}에"),
    ("misspelt", "&naem& 씨", f"{MASK} 씨"),
    ("unclosed", "&name1 씨", f"{MASK} 씨"),
    ("unopened", "name1& 씨", f"{MASK} 씨"),
    ("apart", "& name 1 & 씨", f"{MASK} 씨"),
    ("hash", "#이름#이가 왔다", f"{MASK}이가 왔다"),
    ("hash-apart", "#전화 번호#로", f"{MASK}로"),
    ("hash-and-interjection", "#오메 #이름#", f"오메 {MASK}"),
    ("mobile", "010-1234-5678로 전화해", f"{MASK}로 전화해"),
    ("mobile-joined", "번호는 01012345678.", f"번호는 {MASK}."),
    ("mobile-abroad", "+82 10 1234 5678", MASK),
    ("landline", "(053)123-4567 집이다", f"{MASK} 집이다"),
    ("spoken", "공일공에 일이삼사 오육칠팔이다", f"{MASK}이다"),
    ("resident-number", "800101-1234567이다", f"{MASK}이다"),
    ("resident-number-hidden", "800101-1******", MASK),
    ("email", "a.b@c-d.co.kr 로", f"{MASK} 로"),
    ("behind-markup", "010{laughing}1234-5678", MASK),
]


def _cleaned(
    source: str | None, target: str | None = None, **options: Any
) -> tuple[str | None, str | None, str | None]:
    [row] = _cleaned_pairs([(source, source if target is None else target)], **options)
    return row


def _cleaned_pairs(
    pairs: Sequence[tuple[str | None, str | None]], **options: Any
) -> list[tuple[str | None, str | None, str | None]]:
    frame = pl.DataFrame(pairs, schema=_TEXTS, orient="row")
    return clean(frame, CleanSettings.of(BuildOptions(**options))).rows()


_DEFAULT = CleanSettings.of(BuildOptions())
_TEXTS = {"source": pl.String, "target": pl.String}
_ALL_REWRITE = CleanRules(**dict.fromkeys(NAMES, Action.REWRITE))
_ALL_KEEP = CleanRules(**dict.fromkeys(NAMES, Action.KEEP))


# Each frame costs the rules' patterns anew, so what is cleaned alike is cleaned in one.


def _both(texts: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs with the same text on both sides."""
    return [(text, text) for text in texts]


RULE_NAMES = sorted({row[0].split("-")[0] for row in MARKUP})


def _rows_of(name: str) -> list[tuple[str, str, str | None, str]]:
    """Return text, source, target and reason of the rows of `MARKUP` for the rule *name*."""
    return [row[1:] for row in MARKUP if row[0].split("-")[0] == name]


@pytest.mark.parametrize("name", RULE_NAMES)
def test_rewriting(name: str) -> None:
    """Each kind of markup can be mended; what was transcribed twice is the dialect in the source, the standard in the target."""
    rules = structs.replace(_ALL_KEEP, **{name: Action.REWRITE, "space": Action.REWRITE, "unsure": Action.REWRITE})
    rows = _rows_of(name)
    expected = [(source, source if target is None else target, None) for _, source, target, _ in rows]
    texts = _both(row[0] for row in rows)
    assert _cleaned_pairs(texts, clean_rules=rules) == expected


def test_rewriting_all() -> None:
    """Where every rule mends, each kind of markup is mended as by its own rule alone."""
    rows = [row for name in RULE_NAMES for row in _rows_of(name)]
    expected = [(source, source if target is None else target, None) for _, source, target, _ in rows]
    assert _cleaned_pairs(_both(row[0] for row in rows), clean_rules=_ALL_REWRITE) == expected


@pytest.mark.parametrize("name", RULE_NAMES)
def test_dropping(name: str) -> None:
    """Each kind of markup, on either side, can drop the utterance for its reason."""
    rules = structs.replace(_ALL_KEEP, **{name: Action.DROP})
    expected = [(*pair, reason) for text, *_, reason in _rows_of(name) for pair in _either(text)]
    assert _cleaned_pairs([(source, target) for source, target, _ in expected], clean_rules=rules) == expected


def test_keeping() -> None:
    """Markup, on either side, is kept byte for byte where it may stay."""
    pairs = [pair for name in RULE_NAMES for text, *_ in _rows_of(name) for pair in _either(text)]
    assert _cleaned_pairs(pairs, clean_rules=_ALL_KEEP) == [(*pair, None) for pair in pairs]


def _either(text: str) -> list[tuple[str, str]]:
    """Return pairs with *text* on one side, on the other, and on both."""
    return [(text, "왔니"), ("왔나", text), (text, text)]


def test_by_default() -> None:
    """By default what nobody understood for sure is dropped, and all other markup mended."""
    rules, expected = CleanRules(), []
    for name, text, *_, reason in MARKUP:
        dropped = getattr(rules, name.split("-")[0]) is Action.DROP
        expected.append(reason if dropped else "unclear" if "((" in text else None)
    assert [row[2] for row in _cleaned_pairs(_both(row[1] for row in MARKUP))] == expected


def test_broken_brackets() -> None:
    """Brackets of which one is missing drop the utterance, also where they should be mended, unless they may stay."""
    texts = _both(BROKEN)
    assert _cleaned_pairs(texts) == [(*pair, "unclear") for pair in texts]
    assert {row[2] for row in _cleaned_pairs(texts, clean_rules=_ALL_REWRITE)} == {"unclear"}
    assert _cleaned_pairs(texts, clean_rules=_ALL_KEEP) == [(*pair, None) for pair in texts]


def test_personal_data() -> None:
    """Personal data drops the utterance by default, is masked on request, and stays on request, the other rules at work."""
    texts = [row[1] for row in PERSONAL]
    either = _both(texts) + [("왔나", text) for text in texts]
    assert {row[2] for row in _cleaned_pairs(either)} == {"personal_data"}
    assert _cleaned_pairs(_both(texts), pii="mask") == [(masked, masked, None) for *_, masked in PERSONAL]
    kept = [text.replace("{laughing}", " ").replace("#오메", "오메") for text in texts]
    assert _cleaned_pairs(_both(texts), pii="keep") == [(text, text, None) for text in kept]


def test_texts_without_markup_stay() -> None:
    """A text without known markup keeps every byte: old Hangul, single brackets, and hyphens within words."""
    assert _cleaned_pairs(_both(UNTOUCHED)) == [(text, text, None) for text in UNTOUCHED]


def test_ordinary_text_is_not_touched() -> None:
    """Ordinary text that resembles a mark keeps every byte, by default, within a sentence, and where every rule mends."""
    assert ORDINARY.keys() <= {rule.name for rule in RULES}
    texts = [text for texts in ORDINARY.values() for text in texts]
    pairs = [(whole, whole) for text in texts for whole in (text, f"그기 {text} 카던데")]
    untouched = [(*pair, None) for pair in pairs]
    assert _cleaned_pairs(pairs) == untouched
    assert _cleaned_pairs(pairs, clean_rules=_ALL_REWRITE, pii="mask") == untouched


def test_words_never_run_together() -> None:
    """Where a tilde may be a range or a syllable drawn out, the utterance is dropped, also where it should be mended."""
    texts, dropped = _both(UNSURE), [(text, text, "markup") for text in UNSURE]
    assert _cleaned_pairs(texts) == dropped
    assert _cleaned_pairs(texts, clean_rules=_ALL_REWRITE) == dropped
    kept = structs.replace(CleanRules(), lengthening=Action.KEEP)
    assert _cleaned_pairs(texts, clean_rules=kept) == [(*pair, None) for pair in texts]


def test_characters_without_width_vanish() -> None:
    """A character that shows nothing leaves no blank within a word, and hides neither markup nor personal data."""
    within = _both(f"마이{character}왔{character}데이" for character in INVISIBLE)
    assert _cleaned_pairs(within) == [("마이왔데이", "마이왔데이", None)] * len(INVISIBLE)
    hiding = [(f"010{sign}-1234-56{sign}78", f"&na{sign}me1& 씨") for sign in INVISIBLE]
    for personal in zip(*hiding, strict=True):
        assert [row[2] for row in _cleaned_pairs(_both(personal))] == ["personal_data"] * len(INVISIBLE)


def test_white_space_of_other_kinds_becomes_a_blank() -> None:
    """What looks like white space parts words by one blank, and stands at no end."""
    texts = _both(f"{character}왔나{character}{character}그래{character}" for character in BLANKS)
    assert _cleaned_pairs(texts) == [("왔나 그래", "왔나 그래", None)] * len(BLANKS)


@pytest.mark.parametrize("pii", ["drop", "mask"])
@pytest.mark.parametrize("form", ["NFD", "NFC"])
def test_decomposed_markup_is_markup(form: Literal["NFD", "NFC"], pii: str) -> None:
    """Markup and personal data are the same in decomposed Hangul, and what is mended is composed."""
    texts = [*(row[1] for row in MARKUP), *(row[1] for row in PERSONAL)]
    spelled = [unicodedata.normalize(form, text) for text in texts]
    expected = _cleaned_pairs([(text, text) for text in texts], pii=pii)
    assert _cleaned_pairs([(text, text) for text in spelled], pii=pii) == expected


def test_markup_as_wide_as_hangul_is_markup() -> None:
    """Markup and personal data in full width are dropped where they are not mended; none of them is left."""
    texts = [row[1] for row in MARKUP if row[0] not in ("space", "invisible")] + [row[1] for row in PERSONAL]
    wide = ["".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text) for text in texts]
    cleaned = _cleaned_pairs(_both(wide), pii="mask")
    frame = pl.DataFrame([row[:2] for row in cleaned], schema=_TEXTS, orient="row").lazy()
    left = count_residues(frame).select(rule.name for rule in RULES).collect().rows()
    for text, (source, _, reason), residues in zip(wide, cleaned, left, strict=True):
        assert (reason is None) == (sum(residues) == 0), text
        assert reason is not None or source != text, text


def test_old_hangul_is_text() -> None:
    """Conjoining letters that no syllable has a code for stay as they are, also beside decomposed ones."""
    assert _cleaned("ᄒᆞᆫ저 옵서") == ("ᄒᆞᆫ저 옵서", "ᄒᆞᆫ저 옵서", None)
    assert _cleaned(unicodedata.normalize("NFD", "ᄒᆞᆫ저 옵서")) == ("ᄒᆞᆫ저 옵서", "ᄒᆞᆫ저 옵서", None)


def test_whatever_composes_is_looked_at() -> None:
    """Every character that composition may change, or that joins the one before it, is looked at; Hangul syllables are not."""
    letters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    joining = {
        chr(int(part, 16))
        for letter in letters
        if (parts := unicodedata.decomposition(letter).split()) and not parts[0].startswith("<")
        for part in parts[1:]
    } | {chr(code) for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
    changing = [
        letter
        for letter in letters
        if letter in joining or unicodedata.combining(letter) or unicodedata.normalize("NFC", letter) != letter
    ]
    frame = pl.DataFrame({"source": changing, "target": [None] * len(changing)}, schema=_TEXTS)
    assert suspects(frame, []).len() == len(changing)
    syllables = pl.DataFrame({"source": ["가각힣 ㄱㅏ ,.?!"], "target": ["漢字 abc ○"]})
    assert suspects(syllables, []).is_empty()


def test_no_clean() -> None:
    """With --no-clean every text stays as it is, whatever the rules, and nothing is dropped."""
    texts = [*(row[1] for row in MARKUP), *(row[1] for row in PERSONAL), *BROKEN]
    assert _cleaned_pairs(_both(texts), clean=False) == [(text, text, None) for text in texts]


def test_missing_texts() -> None:
    """A missing text stays missing, and does not keep the other side from being cleaned."""
    frame = pl.DataFrame({"source": [None, " 가", None], "target": [" 나", None, None]}, schema=_TEXTS)
    cleaned = clean(frame, _DEFAULT)
    assert cleaned.rows() == [(None, "나", None), ("가", None, None), (None, None, None)]


def test_other_columns_stay() -> None:
    """Cleaning keeps the other columns, the order of the rows, and rows of which there are none."""
    frame = pl.DataFrame({"row": [7, 8, 9], "source": ["가", " 나", "xx"], "target": ["가", "나", "다"]})
    assert clean(frame, _DEFAULT).rows() == [
        (7, "가", "가", None),
        (8, "나", "나", None),
        (9, "xx", "다", "unclear"),
    ]
    assert clean(frame.clear(), _DEFAULT).columns == ["row", "source", "target", UNCLEAN]


def test_the_first_reason_counts() -> None:
    """Of several reasons personal data comes first, then what nobody understood."""
    assert _cleaned("xx #이름#")[2] == "personal_data"
    assert _cleaned("xx {laughing}", clean_rules=CleanRules(event=Action.DROP))[2] == "unclear"


_PIECE = st.sampled_from(
    [
        *(row[1] for row in MARKUP),
        *(row[1] for row in PERSONAL),
        *BROKEN,
        *UNTOUCHED,
        *UNSURE,
        *(text for texts in ORDINARY.values() for text in texts),
        *"(){}#&~-x/@ 가010.∼%＃（ᆨ\u200b",
    ]
)
_ACTIONS = st.sampled_from(list(Action))
_RULES = st.builds(CleanRules, **dict.fromkeys(NAMES, _ACTIONS))


_TEXT = st.builds(str.join, st.sampled_from(["", " "]), st.lists(_PIECE, max_size=6))


@given(st.lists(_TEXT, min_size=1, max_size=12), _RULES, st.sampled_from(list(Pii)))
@examples(50)  # the rules are compiled for each
def test_nothing_known_is_left(texts: list[str], rules: CleanRules, pii: Pii) -> None:
    """Whatever the texts and the rules, no utterance that is kept has markup or personal data that should not be kept."""
    settings = CleanSettings(rules, pii)
    kept = clean(pl.DataFrame({"source": texts, "target": texts}), settings).filter(pl.col(UNCLEAN).is_null())
    left = count_residues(kept.lazy()).collect()
    for rule in RULES:
        if rule.action(settings) is not Action.KEEP:
            assert left[rule.name].sum() == 0


@given(_TEXT)
@examples(300)
def test_hints_miss_nothing(text: str) -> None:
    """A text that no hint suspects has no markup, so that not looking at it closely changes nothing."""
    frame = pl.DataFrame({"source": [text], "target": [None]}, schema=_TEXTS)
    if suspects(frame).is_empty():
        counted = count_residues(frame.lazy()).select(rule.name for rule in RULES).collect()
        assert counted.row(0) == (0,) * len(RULES)


@given(st.lists(_TEXT, min_size=1, max_size=4), _RULES, st.sampled_from(list(Pii)))
@examples(60)
def test_only_rules_that_are_concerned_matter(texts: list[str], rules: CleanRules, pii: Pii) -> None:
    """Looking only for markup whose hint is there finds all there is, in texts as they are and as they are cleaned."""
    frame = pl.DataFrame({"source": texts, "target": [*texts[1:], None]}, schema=_TEXTS)
    concerned = rules_concerned(frame)
    cleaned = clean(frame, CleanSettings(rules, pii))
    looked_at = pl.concat([frame, cleaned.select(*_TEXTS)]).lazy()
    assert count_residues(looked_at, concerned).collect().equals(count_residues(looked_at).collect())


@pytest.mark.parametrize("text", ["공#일공 일이삼사 오육칠팔", "공~일공일이삼사오육칠팔", "가{laughing}{cough}나"])
def test_markup_that_comes_up_when_other_is_taken_out(text: str) -> None:
    """A number that markup has torn apart, or two blanks where markup was, are seen when that is taken out."""
    frame = pl.DataFrame({"source": [text], "target": [text]})
    concerned = rules_concerned(frame)
    assert count_residues(frame.lazy(), concerned).collect().equals(count_residues(frame.lazy()).collect())


def test_a_build_cleans_what_it_writes(tmp_path: Path) -> None:
    """Texts are judged, compared and written as they are after cleaning, and with --no-clean as they were."""
    texts = [" 가 ", "가", "가 {laughing}", "#이름#", "{laughing}", "(나)/(다)"]
    members = [member(stem("say", str(number), 1), text, text) for number, text in enumerate(texts, 1)]
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, members)
    options = BuildOptions(validation=0)
    build([tmp_path / "corpus"], tmp_path / "out", options, make_executor=one_thread)
    assert pairs_of(tmp_path / "out") == [("가", "가"), ("나", "다")]
    assert counts_of(tmp_path / "out")["dropped"] == {"duplicate": 2, "empty_source": 1, "personal_data": 1}
    build([tmp_path / "corpus"], tmp_path / "out", structs.replace(options, clean=False), make_executor=one_thread)
    assert pairs_of(tmp_path / "out") == [(text, text) for text in texts]


def test_every_rule_has_its_option() -> None:
    """The rules that do not look for personal data are the fields of the table [clean], in the same order."""
    assert [rule.name for rule in RULES if not rule.personal] == NAMES


_PIECES = [
    *"(){}/&#-~～xｘ（01공일@. ＃＆가é\u200b\u3000\xad",
    "공일",
    "name1",
    "나 ",
    "((가))",
    "-1234",
    "e@b.kr",
    "e\u0301",
]


@given(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=14).map("".join), st.sampled_from(Pii))
@examples(100)
def test_a_text_is_cleaned_alone_as_beside_others(text: str, pii: Pii) -> None:
    """What becomes of a text does not depend on the markup in the texts that are looked at with it."""
    settings = CleanSettings.of(BuildOptions(pii=pii))
    beside = "\u200b (가)/(나) {웃음} &name1& #어 어-어 네~ x  010-1234-5678 a@b.kr"
    alone = clean(pl.DataFrame({"source": [text], "target": [text]}), settings)
    together = clean(pl.DataFrame({"source": [text, beside], "target": [text, beside]}), settings)
    assert alone.equals(together[:1])
