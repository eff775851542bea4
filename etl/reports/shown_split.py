"""The section on the split: sides, the proof, and what the official split would leak."""

from collections import Counter

from saturi.etl.reports.charts import Bar, bars
from saturi.etl.reports.sections import Figure, Section, Table, in_order
from saturi.etl.reports.words import Words, count, share
from saturi.schemas.report import Report, SplitFacts
from saturi.schemas.terms import Region

_NEVER_SHARED = {"script": ("scripts", "texts"), "speaker": ("speakers",)}


def split_section(report: Report, split: SplitFacts, words: Words) -> Section:
    """Return the section on the split: sides, the proof, and what the official split would leak."""
    keys = " · ".join(words.term(key) for key in split.split_by)
    how = (
        words("AI-Hub's own folders", "AI-Hub 공식 구분")
        if split.validation == "official"
        else f"{split.validation} ({keys})"
    )
    sentences = [words(f"Validation: {how}.", f"검증 구분: {how}.")]
    return Section(
        "split", words("Split", "학습과 검증"), sentences, [_sides(split, words), _proof(report, split, words)]
    )


def _sides(split: SplitFacts, words: Words) -> Figure:
    by_region: dict[str, Counter[str]] = {}
    for group in split.groups:
        by_region.setdefault(group.region, Counter()).update(train=group.train, validation=group.validation)
    regions = in_order(by_region, [*Region])
    pieces = [
        Bar(words.term(region), words.term(side), by_region[region][side])
        for region in regions
        for side in ("train", "validation")
    ]
    rows = [
        (
            words.group(row.region, row.speech_type),
            count(row.train),
            count(row.validation),
            share(row.validation, row.train + row.validation),
            "–" if row.held_out is None else share(row.held_out, 1),
            count(row.split_conflict),
            count(row.in_training),
        )
        for row in split.groups
    ]
    header = (
        words("group", "지역 · 유형"),
        words.term("train"),
        words.term("validation"),
        words("share", "비율"),
        words("keys held out", "검증으로 뺀 열쇠"),
        words.term("split_conflict"),
        words.term("in_training"),
    )
    return Figure(
        words("Sides by region", "지역별 구분"),
        words(
            "Examples in train and in validation, by region; and what the split has cost.",
            "지역별 학습·검증 예문 수와 구분 때문에 빠진 발화입니다.",
        ),
        Table(header, rows),
        bars(pieces, words("examples", "예문")) if pieces else None,
    )


def _proof(report: Report, split: SplitFacts, words: Words) -> Figure:
    apart = (
        {kind for key in split.split_by for kind in _NEVER_SHARED.get(key, ())}
        if split.validation != "official"
        else set()
    )
    official = None if report.stage is None else report.stage.official
    kinds = sorted(split.shared)
    yes, no = words("kept apart", "분리함"), words("not kept apart", "분리하지 않음")
    rows = [
        (words.term(kind), yes if kind in apart else no, count(split.shared[kind]), count((official or {}).get(kind)))
        for kind in kinds
    ]
    rows.append(
        (
            words("validation examples with a text in train", "학습에 글이 있는 검증 예문"),
            "",
            count(split.validation_in_training),
            "–",
        )
    )
    header = (
        words("in both sides", "양쪽에 있는 것"),
        words("by this split", "이 구분에서"),
        words("this split", "이 구분"),
        words("official split", "공식 구분"),
    )
    return Figure(
        words("The proof, and the official split", "증명과 공식 구분"),
        words(
            "What is in both sides: measured on the examples written; for AI-Hub's own split, on all utterances that were read.",
            "양쪽에 모두 있는 것: 이 구분은 쓴 예문에서, AI-Hub 공식 구분은 읽은 모든 발화에서 센 것입니다.",
        ),
        Table(header, rows, 2),
    )
