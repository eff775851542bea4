"""The section on where label files and utterances went: the flow, cleaning, repetition."""

from saturi.etl.reports.charts import columns
from saturi.etl.reports.river import Reach, river
from saturi.etl.reports.sections import Figure, Section, Table, in_order, labelled, shortened
from saturi.etl.reports.words import Words, count, share
from saturi.schemas.report import FlowFacts, Report, StageFacts
from saturi.schemas.terms import DropReason, Region


def flow_section(report: Report, flow: FlowFacts, words: Words) -> Section:
    """Return the section on where everything went: the flow, duplicates, repetition, cleaning, equal texts."""
    examples, dropped = sum(flow.examples.values()), sum(flow.dropped.values())
    rejected = sum(flow.rejected.values())
    sentences = [
        words(
            f"{flow.label_files:,} label files = {flow.decoded:,} read + {rejected:,} rejected.",
            f"라벨 파일 {flow.label_files:,} = 읽음 {flow.decoded:,} + 읽지 못함 {rejected:,}.",
        ),
        words(
            f"{flow.utterances:,} utterances = {examples:,} examples + {dropped:,} dropped.",
            f"발화 {flow.utterances:,} = 예문 {examples:,} + 제외 {dropped:,}.",
        ),
    ]
    figures = [_river(flow, words)]
    stage = report.stage
    if stage is not None:
        figures += [_cleaning(stage, words), _repetition(stage, words)]
    figures.append(_repeats(report, words))
    return Section("flow", words("Where it went", "어디로 갔나"), sentences, figures)


def _river(flow: FlowFacts, words: Words) -> Figure:
    rejected = sorted(flow.rejected.items(), key=lambda item: -item[1])
    order = {reason.value: place for place, reason in enumerate(DropReason)}
    dropped = sorted(flow.dropped.items(), key=lambda item: order.get(item[0], len(order)))
    files, utterances = words("label files", "라벨 파일"), words("utterances", "발화")
    examples = [
        (f"{words('examples', '예문')}: {words.term(split)}", number) for split, number in flow.examples.items()
    ]
    lost, out = words("rejected", "읽지 못함"), words("dropped", "제외")
    whole = sum(number for _, number in examples)
    rows = [
        (files, count(flow.label_files), share(flow.label_files, flow.label_files)),
        *(
            (f"− {lost}: {words.term(reason)}", count(number), share(number, flow.label_files))
            for reason, number in rejected
        ),
        (f"= {words('read', '읽음')}", count(flow.decoded), share(flow.decoded, flow.label_files)),
        (utterances, count(flow.utterances), share(flow.utterances, flow.utterances)),
        *(
            (f"− {out}: {words.term(reason)}", count(number), share(number, flow.utterances))
            for reason, number in dropped
        ),
        (f"= {words('examples', '예문')}", count(whole), share(whole, flow.utterances)),
        *((f"  {name}", count(number), share(number, flow.utterances)) for name, number in examples),
    ]
    named = [[(words.term(reason), number) for reason, number in part] for part in (rejected, dropped)]
    chart = river([Reach(files, flow.label_files, named[0]), Reach(utterances, flow.utterances, named[1])], examples)
    return Figure(
        words("From label files to examples", "라벨 파일에서 예문까지"),
        words(
            f"A river from label files by way of utterances (one a {words.term(flow.unit)}) to examples; each reason is a branch.",
            f"라벨 파일이 발화({words.term(flow.unit)} 단위)를 거쳐 예문이 되는 흐름입니다. 이유마다 한 갈래로 갈라집니다.",
        ),
        Table((words("step", "단계"), words("number", "수"), words("share", "비율")), rows),
        chart,
    )


def _cleaning(stage: StageFacts, words: Words) -> Figure:
    markup = stage.markup
    rows = [
        (words.rule(name), words.term(markup.actions.get(name)), count(number), share(number, markup.utterances))
        for name, number in markup.marked.items()
    ]
    header = (words("rule", "규칙"), words("action", "처리"), words("utterances", "발화"), words("share", "비율"))
    return Figure(
        words("Cleaning by rule", "규칙별 정리"),
        words(
            f"Utterances with the markup of each rule, among {markup.utterances:,} that were looked at before cleaning, and what"
            " becomes of it. Excluded regions and speech types are left out.",
            f"정리하기 전에 살펴본 발화 {markup.utterances:,}개 가운데 규칙마다 그 전사 기호가 있는 발화 수와 그 처리입니다."
            " 제외한 지역과 발화 유형은 세지 않았습니다.",
        ),
        Table(header, rows, 2),
        fold=True,
    )


def _repetition(stage: StageFacts, words: Words) -> Figure:
    pairs = labelled(stage.bins, stage.script_readings)
    rows = [(label, count(number)) for label, number in pairs]
    return Figure(
        words("Repetition by script", "대본별 반복"),
        words(
            f"How often each of {stage.scripts:,} scripts is read aloud: scripts by number of utterances. Excluded regions and"
            " speech types are left out.",
            f"소리 내어 읽은 대본 {stage.scripts:,}개를 발화 수에 따라 나눕니다. 제외한 지역과 발화 유형은 세지 않았습니다.",
        ),
        Table((words("utterances", "발화"), words("scripts", "대본")), rows),
        columns(pairs, words("utterances of a script", "대본의 발화 수")) if stage.scripts else None,
    )


def _repeats(report: Report, words: Words) -> Figure:
    names = {name: words.group(*name.split("-")) for name in report.duplicates}
    order = in_order({name.partition("-")[0] for name in names}, [*Region])
    rows = [
        (words("duplicates", "중복"), names[name], count(number), "")
        for name, number in sorted(report.duplicates.items(), key=lambda one: order.index(one[0].partition("-")[0]))
        if number
    ]
    if report.stage is not None:
        equal = words("equal texts", "원문과 표준어가 같음")
        rows += [
            (
                equal,
                words.term(region),
                count(report.stage.identical[region][0]),
                share(*report.stage.identical[region]),
            )
            for region in in_order(report.stage.identical, [*Region])
        ]
        same, whole = (sum(one[place] for one in report.stage.identical.values()) for place in (0, 1))
        rows.append((equal, words("in total", "합계"), count(same), share(same, whole)))
    header = (words("fact", "항목"), words("where", "어디"), words("utterances", "발화"), words("share", "비율"))
    return Figure(
        words("Duplicates and equal texts", "중복과 같은 글"),
        words(
            "Duplicates that were dropped, by region and speech type; utterances whose two texts are equal before cleaning, by"
            " region. Excluded regions and speech types are left out.",
            "제외한 중복 발화(지역·유형별)와 정리하기 전에 두 글이 같은 발화(지역별)입니다."
            " 제외한 지역과 발화 유형은 세지 않았습니다.",
        ),
        Table(header, shortened(rows, words), 2),
        fold=True,
    )
