"""The section on the corpus: what there is, before anything is left out."""

from saturi.etl.corpus.names import ANY_SET
from saturi.etl.reports.charts import Bar, bars
from saturi.etl.reports.corpus import UTTERANCES
from saturi.etl.reports.sections import Figure, Section, Table, in_order, shortened
from saturi.etl.reports.shown_names import short
from saturi.etl.reports.words import Words, count
from saturi.schemas.report import CorpusFacts
from saturi.schemas.terms import Region, SpeechType

_MOST_NAME = 120  # signs of the name of an archive


def corpus_section(corpus: CorpusFacts, words: Words) -> Section:
    """Return the section on the corpus: archives, groups, sets, generations, AI-Hub's own split."""
    files = sum(row.label_files for row in corpus.archives)
    decoded = sum(row.decoded for row in corpus.archives)
    sentences = [
        words(
            f"{len(corpus.archives):,} archives hold {files:,} label files, of which {decoded:,} were read.",
            f"압축 파일 {len(corpus.archives):,}개에 라벨 파일 {files:,}개가 있고, 그중 {decoded:,}개를 읽었습니다.",
        )
    ]
    return Section(
        "corpus",
        words("Corpus", "말뭉치"),
        sentences,
        [_groups(corpus, words), _facts(corpus, words), _archives(corpus, words)],
    )


def _groups(corpus: CorpusFacts, words: Words) -> Figure:
    regions = in_order(corpus.groups, [*Region])
    types = in_order({kind for row in corpus.groups.values() for kind in row}, [*SpeechType])
    unit = words("utterances", "발화") if corpus.counted == UTTERANCES else words("label files", "라벨 파일")
    numbers = [[corpus.groups[region].get(kind, 0) for kind in types] for region in regions]
    rows = [
        (words.term(region), *map(count, row), count(sum(row))) for region, row in zip(regions, numbers, strict=True)
    ]
    total = [sum(column) for column in zip(*numbers, strict=True)] or [0] * len(types)
    rows.append((words("in total", "합계"), *map(count, total), count(sum(total))))
    pieces = [
        Bar(words.term(region), words.term(kind), number)
        for region, row in zip(regions, numbers, strict=True)
        for kind, number in zip(types, row, strict=True)
    ]
    return Figure(
        words("Regions and speech types", "지역과 발화 유형"),
        words(
            f"How many {unit} each region has, by speech type.",
            f"지역마다 {unit}가 얼마나 있는지 발화 유형별로 보입니다.",
        ),
        Table((words("region", "지역"), *map(words.term, types), words("in total", "합계")), rows),
        bars(pieces, unit) if pieces else None,
    )


def _facts(corpus: CorpusFacts, words: Words) -> Figure:
    rows = [
        (words("generation", "구축 연도"), year, count(number)) for year, number in sorted(corpus.generations.items())
    ]
    split = words("AI-Hub's own split (label files)", "AI-Hub 공식 구분 (라벨 파일)")
    rows += [(split, words.term(name), count(number)) for name, number in corpus.splits.items()]
    sets = words("set of scripts or questions (utterances)", "대본·질문 세트 (발화)")
    rows += [
        (sets, words.term("unknown") if name == ANY_SET else name, count(number))
        for name, number in (corpus.sets or {}).items()
    ]
    header = (words("fact", "항목"), words("value", "값"), words("number", "수"))
    return Figure(
        words("Set, generation, official split", "세트, 구축 연도, 공식 구분"),
        words(
            "Label files that were read, by year of their form; and by what names say.",
            "읽은 라벨 파일을 형식의 연도와 이름에 적힌 것으로 나눕니다.",
        ),
        Table(header, shortened(rows, words), 2),
    )


def _archives(corpus: CorpusFacts, words: Words) -> Figure:
    ordered = sorted(corpus.archives, key=lambda row: (-sum(row.rejected.values()), row.archive))
    rows = [
        (
            short(row.archive, _MOST_NAME),
            words.group(row.region or "unknown", row.speech_type or "unknown"),
            words.term(row.split),
            ", ".join(f"{words.term(reason)} {number:,}" for reason, number in sorted(row.rejected.items()))
            or (words("unreadable", "열 수 없음") if row.problem else "–"),
            count(row.label_files),
            count(row.decoded),
            count(sum(row.rejected.values())),
        )
        for row in ordered
    ]
    header = (
        words("archive", "압축 파일"),
        words("group", "지역 · 유형"),
        words("official split", "공식 구분"),
        words("reasons", "이유"),
        words("label files", "라벨 파일"),
        words("read", "읽음"),
        words("rejected", "읽지 못함"),
    )
    return Figure(
        words("Archives", "압축 파일"),
        words(
            "Every archive with its label files; those with most rejects first.",
            "압축 파일마다 라벨 파일 수를 보입니다. 읽지 못한 파일이 많은 것이 먼저입니다.",
        ),
        Table(header, shortened(rows, words), 4),
        fold=True,
    )
