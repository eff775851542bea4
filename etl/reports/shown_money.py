"""The section on the price of training."""

from saturi.etl.reports.charts import Bar, bars
from saturi.etl.reports.sections import Figure, Section, Table, in_order, shortened
from saturi.etl.reports.shown_names import short
from saturi.etl.reports.words import Words, count
from saturi.schemas.estimate import Estimate
from saturi.schemas.terms import Region, Split

_MOST_SHARDS = 24  # that are drawn


def money_section(estimate: Estimate, words: Words) -> Section:
    """Return the section on the price of training."""
    saved, model = estimate.saved, short(estimate.model)
    sentences = [
        words(
            f"Training {model} for {estimate.epochs} epochs: {estimate.billed_tokens:,} tokens, ${estimate.price_usd:,.2f}"
            f" (${estimate.usd_per_million_tokens:g} a million tokens, as of {estimate.price_as_of}).",
            f"{model} 학습 {estimate.epochs}에폭: 토큰 {estimate.billed_tokens:,}개, ${estimate.price_usd:,.2f}"
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
                f"Counted by {short(estimate.tokenizer)}, which is not this model's own.",
                f"이 모델의 것이 아닌 {short(estimate.tokenizer)}로 세었습니다.",
            )
        )
    learnt = [row for row in estimate.shards if row.split == Split.TRAIN]
    order = in_order({row.region or "all" for row in learnt}, [*Region])
    learnt.sort(key=lambda row: order.index(row.region or "all"))
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
