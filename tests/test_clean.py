"""Cleaning: every row of the markup table, what each rule does by its action, and that nothing known is left."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from corpora import ANSWER_ZIP, member, stem, write_zip
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from runs import counts_of, one_thread, pairs_of

from etl.pipeline.build import build
from etl.select.clean import UNCLEAN, clean, count_residues, suspects
from etl.select.markup import MASK, RULES, CleanSettings
from etl.settings.options import BuildOptions
from schemas.cleaning import Action, CleanRules, Pii

UNTOUCHED = [
    "가가 가가",
    "ᄒᆞᆫ저 옵서ㆍ",
    "한-미-일",
    "3~4일",
    "3 ~ 4일",
    "3시~4시",
    "10% ~ 20%",
    "2019년～2020년 5∼6월",
    "3 - 4일",
    "영하 -5도",
    "웃음(소리)",
    "R&B 음악",
    "엑스선 taxi",
    "100-200",
    "김○○ 씨",
    "㈜",
    "",
]
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
    ("lengthening-number", "3명이~4명 아~ 3 100~", "3명이4명 아 3 100", None, "markup"),
    ("unclear", "뭐 x 카노 xx는", "뭐 카노 는", None, "unclear"),
    ("space", "\u3000왔나  \t그래\u200b \n", "왔나 그래", None, "markup"),
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
    frame = pl.DataFrame(
        {"source": [source], "target": [source if target is None else target]}, schema_overrides=_TEXTS
    )
    [(said, meant, reason)] = clean(frame, CleanSettings.of(BuildOptions(**options))).rows()
    return said, meant, reason


_DEFAULT = CleanSettings.of(BuildOptions())
_TEXTS = {"source": pl.String, "target": pl.String}
_ALL_REWRITE = CleanRules(**dict.fromkeys(NAMES, Action.REWRITE))
_ALL_KEEP = CleanRules(**dict.fromkeys(NAMES, Action.KEEP))


@pytest.mark.parametrize(
    ("name", "text", "source", "target"), [pytest.param(row[0].split("-")[0], *row[1:4], id=row[0]) for row in MARKUP]
)
def test_rewriting(name: str, text: str, source: str, target: str | None) -> None:
    """Each kind of markup can be mended; what was transcribed twice is the dialect in the source, the standard in the target."""
    rules = structs.replace(_ALL_KEEP, **{name: Action.REWRITE, "space": Action.REWRITE, "unsure": Action.REWRITE})
    assert _cleaned(text, clean_rules=rules) == (source, source if target is None else target, None)
    assert _cleaned(text, clean_rules=_ALL_REWRITE) == (source, source if target is None else target, None)


@pytest.mark.parametrize(
    ("name", "text", "reason"), [pytest.param(row[0].split("-")[0], row[1], row[4], id=row[0]) for row in MARKUP]
)
def test_dropping(name: str, text: str, reason: str) -> None:
    """Each kind of markup, on either side, can drop the utterance for its reason, and is kept byte for byte where it may stay."""
    rules = structs.replace(_ALL_KEEP, **{name: Action.DROP})
    assert _cleaned(text, "왔니", clean_rules=rules) == (text, "왔니", reason)
    assert _cleaned("왔나", text, clean_rules=rules) == ("왔나", text, reason)
    assert _cleaned(text, clean_rules=_ALL_KEEP) == (text, text, None)


@pytest.mark.parametrize(
    ("name", "text", "reason"), [pytest.param(r[0].split("-")[0], r[1], r[4], id=r[0]) for r in MARKUP]
)
def test_by_default(name: str, text: str, reason: str) -> None:
    """By default what nobody understood for sure is dropped, and all other markup mended."""
    expected = reason if getattr(CleanRules(), name) is Action.DROP else "unclear" if "((" in text else None
    assert _cleaned(text)[2] == expected


@pytest.mark.parametrize("text", BROKEN)
def test_broken_brackets(text: str) -> None:
    """Brackets of which one is missing drop the utterance, also where they should be mended, unless they may stay."""
    assert _cleaned(text) == (text, text, "unclear")
    assert _cleaned(text, clean_rules=_ALL_REWRITE)[2] == "unclear"
    assert _cleaned(text, clean_rules=_ALL_KEEP) == (text, text, None)


@pytest.mark.parametrize(("text", "masked"), [pytest.param(*row[1:], id=row[0]) for row in PERSONAL])
def test_personal_data(text: str, masked: str) -> None:
    """Personal data drops the utterance by default, is masked on request, and stays on request, the other rules at work."""
    assert _cleaned(text)[2] == "personal_data"
    assert _cleaned("왔나", text)[2] == "personal_data"
    assert _cleaned(text, pii="mask") == (masked, masked, None)
    kept, _, reason = _cleaned(text, pii="keep")
    assert (kept, reason) == (text.replace("{laughing}", " ").replace("#오메", "오메"), None)


@pytest.mark.parametrize("text", UNTOUCHED)
def test_texts_without_markup_stay(text: str) -> None:
    """A text without known markup keeps every byte: old Hangul, ranges, single brackets, and hyphens within words."""
    assert _cleaned(text) == (text, text, None)


@pytest.mark.parametrize("text", [*(row[1] for row in MARKUP), *(row[1] for row in PERSONAL), *BROKEN])
def test_no_clean(text: str) -> None:
    """With --no-clean every text stays as it is, whatever the rules, and nothing is dropped."""
    assert _cleaned(text, clean=False) == (text, text, None)


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
    [*(row[1] for row in MARKUP), *(row[1] for row in PERSONAL), *BROKEN, *UNTOUCHED, *"(){}#&~-x/@ 가010.∼%"]
)
_ACTIONS = st.sampled_from(list(Action))
_RULES = st.builds(CleanRules, **dict.fromkeys(NAMES, _ACTIONS))


@given(st.lists(_PIECE, max_size=6), st.sampled_from(["", " "]), _RULES, st.sampled_from(list(Pii)))
@settings(deadline=None, max_examples=300)
def test_nothing_known_is_left(pieces: list[str], glue: str, rules: CleanRules, pii: Pii) -> None:
    """Whatever the text and the rules, no utterance that is kept has markup or personal data that should not be kept."""
    text = glue.join(pieces)
    settings = CleanSettings(rules, pii)
    kept = clean(pl.DataFrame({"source": [text], "target": [text]}), settings).filter(pl.col(UNCLEAN).is_null())
    left = count_residues(kept.lazy()).collect()
    for rule in RULES:
        if rule.action(settings) is not Action.KEEP:
            assert left[rule.name].sum() == 0


@given(st.lists(_PIECE, max_size=6), st.sampled_from(["", " "]))
@settings(deadline=None, max_examples=300)
def test_hints_miss_nothing(pieces: list[str], glue: str) -> None:
    """A text that no hint suspects has no markup, so that not looking at it closely changes nothing."""
    text = glue.join(pieces)
    frame = pl.DataFrame({"source": [text], "target": [None]}, schema=_TEXTS)
    if suspects(frame).is_empty():
        counted = count_residues(frame.lazy()).select(rule.name for rule in RULES).collect()
        assert counted.row(0) == (0,) * len(RULES)


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
