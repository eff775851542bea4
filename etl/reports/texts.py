"""What is in the texts of the examples: words, characters, what changes between source and target."""

from collections import Counter
from collections.abc import Iterator

import msgspec
import polars as pl

from saturi.etl.corpus.groups import ALL
from saturi.etl.errors import BuildError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.lines import whole_lines
from saturi.schemas.chat import Example
from saturi.schemas.report import ChangedWord, RegionTexts, Spread, TextFacts
from saturi.schemas.terms import Direction

_EXAMPLES = 30_000
"""Examples that are looked at, at least, where there are as many: one in three of 100,000, one in fifty of 1,500,000."""

_MOST_CHANGED = 20  # bins of changed words; the last has all above
_MOST_WORDS = 30  # changed words that are listed

_DECODE = msgspec.json.Decoder(Example).decode
_MEASURES = ("source_words", "target_words", "source_characters", "target_characters", "ratio", "changed_words")


def text_facts(build: FinishedBuild, *, text: bool) -> TextFacts | None:
    """
    Return facts of the examples of *build*, one in so many, or None where it has none; every chunk is read, and so verified.

    Args:
        build: The build.
        text: Also list the most frequent changed words.

    Raises:
        BuildError: A chunk is missing or damaged.
    """
    examples = build.manifest.counts.examples
    step = max(examples // _EXAMPLES, 1)
    parts, words = [], Counter[tuple[str, str]]()
    for frame in _frames(build, step):
        parts.append(_measured(frame))
        if text:
            words.update(_changes(frame))
    if not parts:
        return None
    measured = pl.concat(parts)
    by_region = measured.sort("region").partition_by("region", as_dict=True, maintain_order=True)
    regions = {ALL: _region(measured)} | {
        region: _region(part) for (region,), part in by_region.items() if region != ALL
    }
    changed = Counter(measured["changed_words"].clip(upper_bound=_MOST_CHANGED))
    return TextFacts(
        direction=str(build.manifest.options.get("direction", Direction.TO_STANDARD)),
        step=step,
        examples=examples,
        regions=regions,
        changed=[changed[number] for number in range(_MOST_CHANGED + 1)],
        words=[ChangedWord(source=old, target=new, count=count) for (old, new), count in _first(words)],
    )


def _first(words: Counter[tuple[str, str]]) -> list[tuple[tuple[str, str], int]]:
    return sorted(words.items(), key=lambda item: (-item[1], item[0]))[:_MOST_WORDS]


def _frames(build: FinishedBuild, step: int) -> Iterator[pl.DataFrame]:
    """Yield region, source and target of one in *step* examples, a frame a block of a chunk."""
    begun = 0  # lines before the block
    for chunk in build.manifest.chunks:
        for block in whole_lines(build.read_chunk(chunk)):
            lines = block.content.split(b"\n")
            taken = lines[-begun % step :: step]
            begun += len(lines)
            try:
                pairs = [tuple(message.content for message in _DECODE(line).messages[-2:]) for line in taken]
                sources, targets = zip(*pairs, strict=True) if pairs else ((), ())
            except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
                path = str(build.given / chunk.path)
                raise BuildError(path, f"damaged ({error})", "run `saturi verify`, and build again") from error
            if pairs:
                yield pl.DataFrame({"region": chunk.region, "source": sources, "target": targets})


def _measured(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `region` and `_MEASURES` of each row of *frame*."""
    source, target = (pl.col(text).str.split(" ") for text in ("source", "target"))
    characters = pl.col("source").str.len_chars(), pl.col("target").str.len_chars()
    return frame.select(
        "region",
        source_words=source.list.len(),
        target_words=target.list.len(),
        source_characters=characters[0],
        target_characters=characters[1],
        ratio=characters[1] / characters[0],
        changed_words=source.list.set_difference(target).list.len(),
    )


def _region(measured: pl.DataFrame) -> RegionTexts:
    return RegionTexts(examples=measured.height, **{name: _spread(measured[name]) for name in _MEASURES})


def _spread(numbers: pl.Series) -> Spread:
    quantiles = [numbers.quantile(share, "nearest") for share in (0.05, 0.5, 0.95, 1)]
    p5, p50, p95, most = (round(float(number or 0), 3) for number in quantiles)
    mean = numbers.cast(pl.Float64).to_frame().select(pl.all().mean()).item() or 0
    return Spread(mean=round(mean, 3), p5=p5, p50=p50, p95=p95, most=most)


def _changes(frame: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield each word with what stands in its place, where source and target have as many words."""
    for source, target in frame.select("source", "target").iter_rows():
        old, new = source.split(), target.split()
        if len(old) == len(new):
            yield from ((was, becomes) for was, becomes in zip(old, new, strict=True) if was != becomes)
