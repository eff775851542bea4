"""The section on an evaluation: systems by metric, gain over copying, changed and identical rows."""

from msgspec import structs

from saturi.etl.reports.charts import Bar, Range, ranges
from saturi.etl.reports.sections import Figure, Section, Table, in_order, shortened
from saturi.etl.reports.shown_names import short, shorts
from saturi.etl.reports.words import Words, count, decimal
from saturi.schemas.evaluation import Evaluation, Score, StratumScores, SystemScores
from saturi.schemas.terms import Region

_CHRF = "chrf"
_BY_CHANGE = (_CHRF, "edit_f05", "over_edit", "exact")
_MOST_SYSTEMS = 5
_MOST_GAINS = 3  # systems whose gains are drawn; the table has all
_MOST_BESIDE = 24  # signs of a name beside a point


def evaluation_section(name: str, evaluation: Evaluation, words: Words) -> Section:
    """Return the section on one evaluation: systems by metric, gain over copying by region, changed and identical rows."""
    test = evaluation.test_set
    sentences = [
        words(f"{test.rows:,} rows of {test.available:,}.", f"{test.available:,}행 가운데 {test.rows:,}행입니다."),
        words("Intervals hold 95 % of paired resamples.", "구간은 짝지은 재표본의 95 %입니다."),
    ]
    copying = words("copying", "베끼기")
    names = shorts(copying if system.role == "copy" else system.name for system in evaluation.systems)
    systems = [structs.replace(system, name=name) for system, name in zip(evaluation.systems, names, strict=True)]
    if len(systems) > _MOST_SYSTEMS:
        sentences.append(
            words(
                f"The first {_MOST_SYSTEMS} of {len(systems):,} systems are shown.",
                f"시스템 {len(systems):,}개 가운데 처음 {_MOST_SYSTEMS}개만 보입니다.",
            )
        )
    systems = systems[:_MOST_SYSTEMS]
    figures = [_scores(systems, evaluation, words), _gains(systems, words), _by_change(systems, evaluation, words)]
    title = f"{words('Evaluation', '평가')}: {short(name)}"
    return Section(f"evaluation-{name}", title, sentences, [one for one in figures if one is not None])


def _stratum(system: SystemScores, by: str, value: str) -> StratumScores | None:
    return next((one for one in system.strata if (one.by, one.value) == (by, value)), None)


def _score(system: SystemScores, by: str, value: str, metric: str) -> Score | None:
    stratum = _stratum(system, by, value)
    return None if stratum is None else stratum.scores.get(metric)


def _written(score: Score | None) -> str:
    if score is None or score.score is None:
        return "–"
    if score.low is None or score.high is None:
        return decimal(score.score)
    return f"{decimal(score.score)} ({decimal(score.low)}–{decimal(score.high)})"


def _scores(systems: list[SystemScores], evaluation: Evaluation, words: Words) -> Figure:
    rows = [
        (
            short(metric.title),
            words.term(metric.better),
            *(_written(_score(system, "all", "all", metric.name)) for system in systems),
        )
        for metric in evaluation.metrics
    ]
    beside = shorts((system.name for system in systems), _MOST_BESIDE)
    scores = [(name, _score(system, "all", "all", _CHRF)) for name, system in zip(beside, systems, strict=True)]
    points = [_point(name, "chrF++", score) for name, score in scores if score is not None and score.score is not None]
    return Figure(
        words("Systems and metrics", "시스템과 지표"),
        words(
            "Every metric of every system on all rows; the chart shows chrF++ with its interval.",
            "모든 행에 대한 시스템별 지표입니다. 그림은 chrF++와 그 구간입니다.",
        ),
        Table(
            (words("metric", "지표"), words("better", "좋은 쪽"), *(system.name for system in systems)),
            shortened(rows, words),
            2,
        ),
        ranges(points, "chrF++") if points else None,
    )


def _point(name: str, series: str, score: Score) -> Range:
    number = score.score or 0.0
    return Range(
        name, series, number if score.low is None else score.low, number, number if score.high is None else score.high
    )


def _gains(systems: list[SystemScores], words: Words) -> Figure | None:
    copy = next((system for system in systems if system.role == "copy"), None)
    if copy is None:
        return None
    others = [system for system in systems if system.role != "copy"]
    by_region = {one.value: one for one in copy.strata if one.by in ("all", "region")}
    strata = [by_region[value] for value in in_order(by_region, ["all", *Region])]
    rows, points = [], []
    for stratum in strata:
        base = stratum.scores.get(_CHRF)
        gains = []
        for system in others:
            score = _score(system, stratum.by, stratum.value, _CHRF)
            if base is None or base.score is None or score is None or score.score is None:
                gains.append("–")
                continue
            gain = score.score - base.score
            gains.append(f"{gain:+.1f}")
            points.append(Bar(words.term(stratum.value), system.name, round(gain, 2)))
        rows.append((words.term(stratum.value), count(stratum.rows), decimal(base.score if base else None), *gains))
    header = (
        words("region", "지역"),
        words("rows", "행"),
        words("copying", "베끼기"),
        *(system.name for system in others),
    )
    drawn = [point for point in points if point.series in {system.name for system in others[:_MOST_GAINS]}]
    some = (
        words(f" The chart shows the first {_MOST_GAINS}.", f" 그림은 처음 {_MOST_GAINS}개입니다.")
        if len(others) > _MOST_GAINS
        else ""
    )
    spread = [Range(row.name, row.series, min(row.number, 0), row.number, max(row.number, 0)) for row in drawn]
    return Figure(
        words("Gain over copying, by region", "베끼기보다 나은 정도(지역별)"),
        words(
            "chrF++ of each system less the one of copying its input.",
            "시스템의 chrF++에서 입력을 그대로 베낀 것의 chrF++를 뺀 값입니다.",
        )
        + some,
        Table(header, shortened(rows, words)),
        ranges(spread, "chrF++") if spread else None,
    )


def _by_change(systems: list[SystemScores], evaluation: Evaluation, words: Words) -> Figure | None:
    titles = {metric.name: metric.title for metric in evaluation.metrics}
    kinds = {"changed": words("changed", "바꿀 행"), "identical": words("identical", "그대로 둘 행")}
    rows = [
        (
            kind,
            titles.get(metric, metric),
            *(_written(_score(system, "change", value, metric)) for system in systems),
        )
        for value, kind in kinds.items()
        for metric in _BY_CHANGE
        if any(_written(_score(system, "change", value, metric)) != "–" for system in systems)
    ]
    if not rows:
        return None
    return Figure(
        words("Changed against identical rows", "바꿀 행과 그대로 둘 행"),
        words(
            "Rows whose source differs from the reference, and rows to be left alone.",
            "원문이 정답과 다른 행과, 그대로 두어야 하는 행입니다.",
        ),
        Table((words("rows", "행"), words("metric", "지표"), *(system.name for system in systems)), rows, 2),
    )
