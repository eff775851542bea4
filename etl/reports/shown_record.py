"""The section on how the build went, and how to make it again."""

from saturi.etl.output.printable import printable
from saturi.etl.reports.charts import Bar, bars
from saturi.etl.reports.sections import Figure, Section, Table, shortened
from saturi.etl.reports.shown_names import short
from saturi.etl.reports.words import Words, amount, decimal, share
from saturi.schemas.report import BuildRecord, RunFacts

_MOST_SUMS = 40
_MOST_STEPS = 24  # a build has some ten
_MOST_COMMAND = 2_000  # signs


def record_section(record: BuildRecord, words: Words) -> Section:
    """Return the section on how the build went, and how to make it again."""
    again = words("To make it again:", "다시 만들려면:")
    figures = [] if record.run is None else [_times(record.run, words), _run(record.run, words)]
    rows = list(record.options.items())
    figures.append(
        Figure(
            words("Options", "옵션"),
            words("Every option that decides the bytes.", "결과를 정하는 모든 옵션입니다."),
            Table((words("option", "항목"), words("value", "값")), rows, 2),
            fold=True,
        )
    )
    sums = [(path, sha256) for path, sha256 in record.sums.items()]
    figures.append(
        Figure(
            words("Checksums", "검사합"),
            words("SHA-256 of the manifest and of the chunks.", "매니페스트와 청크의 SHA-256입니다."),
            Table((words("file", "파일"), "SHA-256"), shortened(sums, words, _MOST_SUMS), 2),
            fold=True,
        )
    )
    return Section(
        "record", words("How it went", "어떻게 만들었나"), [again], figures, printable(record.command, _MOST_COMMAND)
    )


def _times(run: RunFacts, words: Words) -> Figure:
    steps = [(words.step(step), seconds) for step, seconds in list(run.steps.items())[:_MOST_STEPS]]
    rows = [(step, decimal(seconds, 2), share(seconds, run.seconds)) for step, seconds in steps]
    seconds_word = words("seconds", "초")
    return Figure(
        words("Time by step", "단계별 시간"),
        words(
            f"Seconds of each step of the build; {run.seconds:,.1f} s in all.",
            f"빌드 단계마다 걸린 시간입니다. 모두 {run.seconds:,.1f}초.",
        ),
        Table((words("step", "단계"), seconds_word, words("share", "비율")), rows),
        bars([Bar(step, seconds_word, seconds) for step, seconds in steps], seconds_word) if steps else None,
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
        (words("machine", "컴퓨터"), short(run.machine)),
        *((short(name), short(version)) for name, version in sorted(run.versions.items())),
    ]
    description = words("Throughput, memory, machine and versions.", "처리량, 메모리, 컴퓨터, 버전입니다.")
    return Figure(
        words("Throughput, memory, versions", "처리량, 메모리, 버전"),
        description,
        Table((words("fact", "항목"), words("value", "값")), shortened(rows, words)),
        fold=True,
    )
