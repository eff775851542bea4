"""Sections on models: the price of training, losses, evaluations; and how the build went."""

from msgspec import structs

from saturi.etl.output.printable import printable
from saturi.etl.reports.charts import Bar, Range, bars, lines, ranges
from saturi.etl.reports.sections import Figure, Section, Table, shortened
from saturi.etl.reports.words import Words, amount, count, decimal, share
from saturi.schemas.estimate import Estimate
from saturi.schemas.evaluation import Evaluation, Score, StratumScores, SystemScores
from saturi.schemas.report import BuildRecord, RunFacts, TrainingJob
from saturi.schemas.terms import Split

_CHRF = "chrf"
_BY_CHANGE = (_CHRF, "edit_f05", "over_edit", "exact")
_MOST_NAME = 48  # signs of a name
_MOST_SYSTEMS = 5
_MOST_GAINS = 3  # systems whose gains are drawn; the table has all
_MOST_SHARDS = 24  # that are drawn
_MOST_JOBS = 3  # whose losses are drawn
_MOST_STEPS = 32  # of a line, and of its table
_MOST_SUMS = 40
_MOST_VALUE = 120  # signs of the value of an option
_MOST_COMMAND = 2_000


def money_section(estimate: Estimate, words: Words) -> Section:
    """Return the section on the price of training."""
    saved = estimate.saved
    sentences = [
        words(
            f"Training {estimate.model} for {estimate.epochs} epochs: {estimate.billed_tokens:,} tokens, ${estimate.price_usd:,.2f}"
            f" (${estimate.usd_per_million_tokens:g} a million tokens, as of {estimate.price_as_of}).",
            f"{estimate.model} 학습 {estimate.epochs}에폭: 토큰 {estimate.billed_tokens:,}개, ${estimate.price_usd:,.2f}"
            f" (백만 토큰에 ${estimate.usd_per_million_tokens:g}, {estimate.price_as_of} 기준).",
        ),
        words(
            f"Deduplication saved about ${saved.price_usd:,.2f}: {saved.duplicates:,} examples, {saved.billed_tokens:,} tokens.",
            f"중복 제거로 약 ${saved.price_usd:,.2f}를 아꼈습니다: 예문 {saved.duplicates:,}개, 토큰 {saved.billed_tokens:,}개.",
        ),
    ]
    if not estimate.exact:
        sentences.append(
            words(
                f"Counted by {estimate.tokenizer}, which is not this model's own.",
                f"이 모델의 것이 아닌 {estimate.tokenizer}로 세었습니다.",
            )
        )
    learnt = [row for row in estimate.shards if row.split == Split.TRAIN]
    named = [(words.group(row.region or "all", row.speech_type or "all"), row) for row in learnt]
    rows = [
        (
            name,
            *map(count, (row.examples, row.tokens, row.p50, row.p95, row.max, row.over_limit, row.billed_tokens)),
            f"${row.price_usd:,.2f}",
        )
        for name, row in named
    ]
    total = estimate.total
    sums = (total.examples, total.tokens, total.p50, total.p95, total.max, total.over_limit, total.billed_tokens)
    rows.append((words("in total", "합계"), *map(count, sums), f"${total.price_usd:,.2f}"))
    header = (
        words("shard", "샤드"),
        words("examples", "예문"),
        words("tokens", "토큰"),
        "p50",
        "p95",
        words("most", "최대"),
        words("over the limit", "한도 초과"),
        words("billed", "과금 토큰"),
        words("price", "가격"),
    )
    figure = Figure(
        words("Price by shard", "샤드별 가격"),
        words("US dollars for the training shards.", "학습 샤드의 가격(미국 달러)입니다."),
        Table(header, shortened(rows, words)),
        bars([Bar(name, "USD", round(row.price_usd, 2)) for name, row in named[:_MOST_SHARDS]], "USD")
        if named
        else None,
    )
    return Section("money", words("Money", "비용"), sentences, [figure])


def training_section(jobs: list[TrainingJob], words: Words) -> Section:
    """Return the section on jobs: what became of each, and its losses."""
    rows = [
        (
            _name(job.title),
            _name(job.model),
            words.term(job.status),
            count(job.epochs),
            count(job.examples),
            count(job.trained_tokens),
        )
        for job in jobs
    ]
    header = (
        words("job", "작업"),
        words("model", "모델"),
        words("status", "상태"),
        words("epochs", "에폭"),
        words("examples", "예문"),
        words("trained tokens", "학습한 토큰"),
    )
    description = words("Every job of the ledger.", "장부의 모든 작업입니다.")
    figures = [Figure(words("Jobs", "작업"), description, Table(header, shortened(rows, words), 3))]
    seen = [job for job in jobs if job.losses]
    figures += [_losses(job, words) for job in seen[:_MOST_JOBS]]
    sentences = (
        []
        if seen
        else [
            words(
                "No loss is known: `saturi watch` writes them down.", "손실값이 없습니다. `saturi watch`가 기록합니다."
            )
        ]
    )
    return Section("training", words("Training", "학습"), sentences, figures)


def _losses(job: TrainingJob, words: Words) -> Figure:
    train, validation = words.term("train"), words.term("validation")
    every = -(-len(job.losses) // _MOST_STEPS)
    drawn = job.losses[::every]
    points = [(loss.step, train, loss.train) for loss in drawn if loss.train is not None]
    points += [(loss.step, validation, loss.validation) for loss in drawn if loss.validation is not None]
    rows = [(f"{loss.step}", decimal(loss.train, 4), decimal(loss.validation, 4)) for loss in drawn]
    step, loss_axis = words("step", "단계"), words("loss", "손실")
    return Figure(
        f"{words('Loss', '손실')}: {_name(job.title)}",
        words(
            "Loss by step, of training (solid) and of validation (dashed).",
            "단계별 손실: 학습(실선)과 검증(점선)입니다.",
        ),
        Table((step, train, validation), rows),
        lines(points, step, loss_axis),
    )


def evaluation_section(name: str, evaluation: Evaluation, words: Words) -> Section:
    """Return the section on one evaluation: systems by metric, gain over copying by region, changed and identical rows."""
    test = evaluation.test_set
    sentences = [
        words(f"{test.rows:,} rows of {test.available:,}.", f"{test.available:,}행 가운데 {test.rows:,}행입니다."),
        words("Intervals hold 95 % of paired resamples.", "구간은 짝지은 재표본의 95 %입니다."),
    ]
    systems = [structs.replace(system, name=_name(system.name)) for system in evaluation.systems[:_MOST_SYSTEMS]]
    figures = [_scores(systems, evaluation, words), _gains(systems, words), _by_change(systems, evaluation, words)]
    title = f"{words('Evaluation', '평가')}: {_name(name)}"
    return Section(f"evaluation-{name}", title, sentences, [one for one in figures if one is not None])


def _name(name: str) -> str:
    """Return the name of a system, a job or a model as it is shown, which is in a label of each mark of a chart."""
    return printable(name, _MOST_NAME)


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
            metric.title,
            words.term(metric.better),
            *(_written(_score(system, "all", "all", metric.name)) for system in systems),
        )
        for metric in evaluation.metrics
    ]
    found = [(system.name, _score(system, "all", "all", _CHRF)) for system in systems]
    points = [_point(name, "chrF++", score) for name, score in found if score is not None and score.score is not None]
    return Figure(
        words("Systems and metrics", "시스템과 지표"),
        words(
            "Every metric of every system on all rows; the chart shows chrF++ with its interval.",
            "모든 행에 대한 시스템별 지표입니다. 그림은 chrF++와 그 구간입니다.",
        ),
        Table((words("metric", "지표"), words("better", "좋은 쪽"), *(system.name for system in systems)), rows, 2),
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
    strata = [one for one in copy.strata if one.by in ("all", "region")]
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
    spread = [Range(row.name, row.series, min(row.number, 0), row.number, max(row.number, 0)) for row in drawn]
    return Figure(
        words("Gain over copying, by region", "베끼기보다 나은 정도(지역별)"),
        words(
            "chrF++ of each system less the one of copying its input.",
            "시스템의 chrF++에서 입력을 그대로 베낀 것의 chrF++를 뺀 값입니다.",
        ),
        Table(header, rows),
        ranges(spread, "chrF++") if spread else None,
    )


def _by_change(systems: list[SystemScores], evaluation: Evaluation, words: Words) -> Figure | None:
    titles = {metric.name: metric.title for metric in evaluation.metrics}
    rows = [
        (
            words.term(value),
            titles.get(metric, metric),
            *(_written(_score(system, "change", value, metric)) for system in systems),
        )
        for value in ("changed", "identical")
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


def record_section(record: BuildRecord, words: Words) -> Section:
    """Return the section on how the build went, and how to make it again."""
    sentences = [words("To make it again:", "다시 만들려면:"), printable(record.command, _MOST_COMMAND)]
    figures = [] if record.run is None else [_times(record.run, words), _run(record.run, words)]
    rows = [(name, printable(value, _MOST_VALUE)) for name, value in record.options.items()]
    figures.append(
        Figure(
            words("Options", "선택 사항"),
            words("Every option that decides the bytes.", "결과를 정하는 모든 선택 사항입니다."),
            Table((words("option", "항목"), words("value", "값")), rows, 2),
            fold=True,
        )
    )
    sums = [(path, sha256) for path, sha256 in record.sums.items()]
    figures.append(
        Figure(
            words("Checksums", "검사합"),
            words("SHA-256 of the manifest and of the chunks.", "목록과 청크의 SHA-256입니다."),
            Table((words("file", "파일"), "SHA-256"), shortened(sums, words, _MOST_SUMS), 2),
            fold=True,
        )
    )
    return Section("record", words("How it went", "어떻게 만들었나"), sentences, figures)


def _times(run: RunFacts, words: Words) -> Figure:
    rows = [(step, decimal(seconds, 2), share(seconds, run.seconds)) for step, seconds in run.steps.items()]
    seconds_word = words("seconds", "초")
    return Figure(
        words("Time by step", "단계별 시간"),
        words(
            f"Seconds of each step of the build; {run.seconds:,.1f} s in all.",
            f"빌드 단계마다 걸린 시간입니다. 모두 {run.seconds:,.1f}초.",
        ),
        Table((words("step", "단계"), seconds_word, words("share", "비율")), rows),
        bars([Bar(step, seconds_word, seconds) for step, seconds in run.steps.items()], seconds_word)
        if run.steps
        else None,
    )


def _run(run: RunFacts, words: Words) -> Figure:
    packed, plain = amount(run.packed_bytes), amount(run.json_bytes)
    rate = amount(run.json_bytes / run.seconds) if run.seconds else "–"
    rows = [
        (words("throughput (JSON a second)", "처리량 (초당 JSON)"), f"{rate}/s"),
        (words("archives, packed", "압축 파일 크기"), packed),
        (words("label files as JSON", "라벨 파일의 JSON 크기"), plain),
        (
            words("segments made / reused", "만든 / 다시 쓴 세그먼트"),
            f"{run.segments_made:,} / {run.segments_reused:,}",
        ),
        (words("processor time of workers", "작업 프로세스의 CPU 시간"), f"{run.cpu_seconds:,.1f} s"),
        (words("workers / processors", "작업 프로세스 / 프로세서"), f"{run.workers} / {run.processors}"),
        (
            words("memory: parent / worker, most", "메모리: 부모 / 작업 프로세스 최대"),
            f"{amount(run.parent_peak_bytes)} / {amount(run.worker_peak_bytes)}",
        ),
        (words("machine", "컴퓨터"), run.machine),
        *sorted(run.versions.items()),
    ]
    description = words("Throughput, memory, machine and versions.", "처리량, 메모리, 컴퓨터, 버전입니다.")
    return Figure(
        words("Throughput, memory, versions", "처리량, 메모리, 버전"),
        description,
        Table((words("fact", "항목"), words("value", "값")), rows),
        fold=True,
    )
