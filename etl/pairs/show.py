"""A few pairs of a finished build to look at: examples, or utterances that were dropped for one reason."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from saturi.etl.errors import BuildError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.folder import STAGE
from saturi.etl.output.lines import whole_lines
from saturi.etl.pairs.choice import spread
from saturi.etl.pairs.places import Places
from saturi.etl.pairs.runs import runs_of
from saturi.etl.pairs.wanted import Wanted
from saturi.etl.settings.checks import one_of, terms_of, whole_number
from saturi.etl.settings.paths import output_of
from saturi.etl.storage.location import Location
from saturi.schemas.chat import Example
from saturi.schemas.manifest import ChunkRow
from saturi.schemas.pairs import ShownPair
from saturi.schemas.terms import DropReason, Region, SpeechType, Split

if TYPE_CHECKING:
    import polars as pl

_MOST_PAIRS = 1_000
_DECODE = msgspec.json.Decoder(Example).decode


def show(  # noqa: PLR0913 - those behind the star narrow the choice
    out: str | Location,
    count: int = 5,
    *,
    region: str | Iterable[str] | None = None,
    speech_type: str | Iterable[str] | None = None,
    split: str | None = None,
    dropped: str | None = None,
    stage: str | Location | None = None,
) -> list[ShownPair]:
    """
    Return pairs of the build in *out*, spread evenly over it, in its order; the same ones every time.

    Args:
        out: Folder of a finished build, or its URL.
        count: Most pairs to return.
        region: One region, or several; all for None.
        speech_type: One speech type, or several; all for None.
        split: One split; both for None.
        dropped: The reason of utterances that were dropped, to show these instead of examples.
        stage: Folder of the segments, or its URL, where that is not `stage` in *out*; the texts of dropped utterances lie there.

    Raises:
        OptionError: A value is out of its range.
        BuildError: There is no finished build, it is damaged, or examples are asked for and it has none.
    """
    whole_number("count", count, 1, _MOST_PAIRS)
    wanted = Wanted(
        regions=tuple(Region) if region is None else terms_of("region", region, Region),
        speech_types=tuple(SpeechType) if speech_type is None else terms_of("speech_type", speech_type, SpeechType),
        splits=tuple(Split) if split is None else (one_of("split", split, Split),),
    )
    build = FinishedBuild.open(out)
    if dropped is None:
        if not build.manifest.counts.examples:
            raise BuildError(str(build.given), "this build has no examples", "see what was dropped: --dropped REASON")
        return list(_examples(build, wanted, count))
    from saturi.etl.pairs.dropped import Dropped  # noqa: PLC0415 - loads Polars, which examples need not

    folder = build.folder / STAGE if stage is None else output_of(stage, "--stage")
    return Dropped(build, folder).pairs(one_of("dropped", dropped, DropReason), wanted, count)


def _examples(build: FinishedBuild, wanted: Wanted, count: int) -> Iterator[ShownPair]:
    chunks = [chunk for chunk in build.manifest.chunks if wanted.may_have(chunk)]
    lines = _by_name(build, wanted, chunks, count) if wanted.is_narrower(chunks) else _by_number(chunks, count)
    places = Places(build)
    origins = build.origins((chunk.path, line) for chunk, numbers in lines for line in numbers)
    for chunk, numbers in lines:
        for line, example in _read(build, chunk, numbers):
            origin = origins.get((chunk.path, line))
            source, target = (message.content for message in example.messages[-2:])
            pair = ShownPair(
                region=chunk.region,
                speech_type=chunk.speech_type,
                split=chunk.split,
                chunk=chunk.path,
                line=line,
                source=source,
                target=target,
                runs=runs_of(source, target),
            )
            if origin is not None:
                pair = structs.replace(
                    pair,
                    region=places.region(chunk.region, origin.archive, origin.member),
                    speech_type=places.speech_type(chunk.speech_type, origin.archive, origin.member),
                    archive=origin.archive,
                    member=origin.member,
                    sentence=origin.sentence,
                )
            yield pair


_Lines = list[tuple[ChunkRow, list[int]]]


def _by_number(chunks: Sequence[ChunkRow], count: int) -> _Lines:
    """Return numbers of lines of *chunks*, chosen among all of them."""
    chosen = spread(count, sum(chunk.examples for chunk in chunks))
    lines, first = [], 0
    for chunk in chunks:
        numbers = [number - first + 1 for number in chosen if first <= number < first + chunk.examples]
        if numbers:
            lines.append((chunk, numbers))
        first += chunk.examples
    return lines


def _by_name(build: FinishedBuild, wanted: Wanted, chunks: Sequence[ChunkRow], count: int) -> _Lines:
    """Return numbers of lines of *chunks*, chosen among those whose label files are of a region and speech type *wanted*."""
    if not build.has_lineage:
        problem = "its shards are not apart by region and speech type, and its lineage is missing"
        raise BuildError(str(build.given), problem, "leave out --region and --speech-type, or build again")
    import polars as pl  # noqa: PLC0415 - only where names decide

    places, rows = Places(build), {chunk.path: chunk for chunk in chunks}
    matching: list[tuple[str, int]] = []
    table = build.lineage().filter(pl.col("chunk").is_in(list(rows))).select("chunk", "line", "archive", "member")
    for path, line, archive, member in _rows(build, table):
        chunk = rows[path]
        if (
            places.region(chunk.region, archive, member) in wanted.regions
            and places.speech_type(chunk.speech_type, archive, member) in wanted.speech_types
        ):
            matching.append((path, line))
    chosen = [matching[number] for number in spread(count, len(matching))]
    return [
        (chunk, numbers) for path, chunk in rows.items() if (numbers := [line for one, line in chosen if one == path])
    ]


def _rows(build: FinishedBuild, table: "pl.LazyFrame") -> Iterator[tuple[str, int, str, str]]:
    yield from build.collect(table).iter_rows()


def _read(build: FinishedBuild, chunk: ChunkRow, numbers: Sequence[int]) -> Iterator[tuple[int, Example]]:
    """Yield the examples on the lines *numbers* of *chunk*, which is read, and so verified, to its end."""
    contents: dict[int, bytes] = {}
    first = 1
    for block in whole_lines(build.read_chunk(chunk)):
        lines = block.content.split(b"\n")
        contents |= {number: lines[number - first] for number in numbers if first <= number < first + len(lines)}
        first += len(lines)
    for number in numbers:
        yield number, _DECODE(contents[number])
