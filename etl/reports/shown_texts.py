"""The section on what is in the examples: lengths, tokens, speakers, changed words."""

from saturi.etl.corpus.groups import ALL
from saturi.etl.reports.charts import Range, columns, ranges
from saturi.etl.reports.sections import Figure, Section, Table, in_order, labelled
from saturi.etl.reports.shown_names import short
from saturi.etl.reports.words import Words, count, decimal
from saturi.schemas.report import Report, Spread, TextFacts, TokenFacts
from saturi.schemas.terms import Direction, Region


def texts_section(report: Report, texts: TextFacts, words: Words) -> Section:
    """Return the section on texts: lengths, tokens, changed words, examples a speaker."""
    looked_at = texts.regions[ALL].examples
    sentences = [
        words(f"Measured on all {looked_at:,} examples.", f"모든 예문 {looked_at:,}개로 재었습니다.")
        if texts.step == 1
        else words(
            f"Measured on {looked_at:,} of {texts.examples:,} examples (one in {texts.step}).",
            f"예문 {texts.examples:,}개 가운데 {looked_at:,}개({texts.step}개에 하나)로 재었습니다.",
        )
    ]
    tokens = None if report.tokens is None else _tokens(report.tokens, words)
    figures = [_lengths(texts, words), tokens, _speakers(report, words), _changed(texts, words)]
    figures += [_frequent(texts, words)] if texts.words else []
    return Section(
        "texts", words("What is in it", "무엇이 들어 있나"), sentences, [one for one in figures if one is not None]
    )


def _lengths(texts: TextFacts, words: Words) -> Figure:
    source, target = _sides(texts, words)
    points, rows = [], []
    for region in in_order(texts.regions, [ALL, *Region]):
        row = texts.regions[region]
        name = words.term(region)
        points += [
            Range(name, what, one.p5, one.p50, one.p95)
            for what, one in ((source, row.source_words), (target, row.target_words))
        ]
        spreads = (row.source_words, row.target_words, row.source_characters, row.target_characters)
        rows.append(
            (
                name,
                *map(_spread, spreads),
                decimal(row.ratio.mean, 3),
                decimal(row.changed_words.mean),
                count(row.examples),
            )
        )
    characters = words("characters", "글자")
    unit = words("words", "어절")
    header = (
        words("region", "지역"),
        f"{unit}: {source}",
        f"{unit}: {target}",
        f"{characters}: {source}",
        f"{characters}: {target}",
        words("ratio of characters", "글자 비율"),
        words("changed words", "바뀐 어절"),
        words("examples", "예문"),
    )
    return Figure(
        words("Words and characters", "어절과 글자"),
        words(
            f"Words of an example by region: the median, and from the 5th to the 95th percentile. Ratio: {target} over {source}.",
            f"지역별 예문의 어절 수: 중앙값과 5–95 백분위수입니다. 비율은 {target} 글자 수를 {source} 글자 수로 나눈 것입니다.",
        ),
        Table(header, rows),
        ranges(points, unit),
    )


def _sides(texts: TextFacts, words: Words) -> tuple[str, str]:
    """Return what source and target of an example are, by the direction of the build."""
    dialect, standard = words("dialect", "방언"), words("standard", "표준어")
    return (standard, dialect) if texts.direction == Direction.TO_DIALECT else (dialect, standard)


def _spread(one: Spread) -> str:
    return f"{one.p50:.0f} ({one.p5:.0f}–{one.p95:.0f})"


def _tokens(tokens: TokenFacts, words: Words) -> Figure:
    model, width, limit = short(tokens.model), tokens.bin_tokens, tokens.limit
    last = max((place for place, number in enumerate(tokens.histogram) if number), default=0) + 1
    bins = [(f"{place * width}", number) for place, number in enumerate(tokens.histogram[:last])]
    marked = None if limit is None or limit // width >= last else f"{limit // width * width}"
    known = (
        words(f"The limit of {model} is not known.", f"{model}의 한도는 알려져 있지 않습니다.")
        if limit is None
        else words(
            f"{model} takes {count(limit)}; {tokens.over_limit:,} examples have more.",
            f"{model}의 한도는 {count(limit)}이고, {tokens.over_limit:,}개가 넘습니다.",
        )
    )
    counted = short(tokens.tokenizer)
    if not tokens.exact:
        counted += words(", not the model's own", ", 이 모델의 것이 아님")
    return Figure(
        words("Tokens of an example", "예문의 토큰"),
        words(
            f"Training examples by tokens ({counted}); median {tokens.median:,}, most {tokens.most:,}. {known}",
            f"토큰 수({counted})에 따른 학습 예문 수입니다. 중앙값 {tokens.median:,}, 최대 {tokens.most:,}. {known}",
        ),
        Table(
            (words("tokens from", "토큰(이상)"), words("examples", "예문")),
            [(label, count(number)) for label, number in bins],
        ),
        columns(bins, words("tokens", "토큰"), marked),
    )


def _speakers(report: Report, words: Words) -> Figure | None:
    stage = report.stage
    if stage is None:
        return None
    pairs = labelled(stage.bins, stage.speaker_examples)
    return Figure(
        words("Examples of a speaker", "화자별 예문"),
        words(
            f"{stage.speakers:,} speakers by the number of their examples.",
            f"예문 수에 따른 화자 {stage.speakers:,}명입니다.",
        ),
        Table(
            (words("examples", "예문"), words("speakers", "화자")), [(label, count(number)) for label, number in pairs]
        ),
        columns(pairs, words("examples of a speaker", "화자의 예문 수")) if stage.speakers else None,
    )


def _changed(texts: TextFacts, words: Words) -> Figure:
    last = max((place for place, number in enumerate(texts.changed) if number), default=0)
    most = len(texts.changed) - 1
    source, target = _sides(texts, words)
    pairs = [
        (f"{place}+" if place == most else f"{place}", number) for place, number in enumerate(texts.changed[: last + 1])
    ]
    return Figure(
        words("Changed words of an example", "예문의 바뀐 어절"),
        words(
            f"Different words of the text in {source} that the one in {target} does not have.",
            f"{target} 글에 없는 {source} 어절의 가짓수입니다.",
        ),
        Table(
            (words("changed words", "바뀐 어절"), words("examples", "예문")),
            [(label, count(number)) for label, number in pairs],
        ),
        columns(pairs, words("changed words", "바뀐 어절")),
    )


def _frequent(texts: TextFacts, words: Words) -> Figure:
    rows = [(word.source, word.target, count(word.count)) for word in texts.words]
    return Figure(
        words("Most frequent changed words", "가장 자주 바뀌는 어절"),
        words(
            "Text of the corpus: this table is here since --text was given.",
            "말뭉치의 글입니다. --text를 주었기 때문에 있습니다.",
        ),
        Table((*_sides(texts, words), words("number", "수")), rows, 2),
        fold=True,
    )
