"""Utterances that a build dropped: where they are by its decisions, and their texts where its stage is there."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec
import polars as pl

from saturi.etl.corpus.batches import segment_path
from saturi.etl.corpus.groups import Group, SegmentSource
from saturi.etl.corpus.names import Hints
from saturi.etl.errors import BuildError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.options import options_of
from saturi.etl.pairs.choice import spread, walk
from saturi.etl.pairs.runs import runs_of
from saturi.etl.pairs.wanted import Wanted
from saturi.etl.read.segments import read_any_header
from saturi.etl.select.exclusion import exclusion_of
from saturi.etl.select.markup import CleanSettings
from saturi.etl.select.utterances import PLACEMENT_COLUMNS, as_pairs, read_utterances, resolve_placement
from saturi.etl.storage.location import Location
from saturi.schemas.pairs import ShownPair
from saturi.schemas.terms import DropReason, Region, SpeechType

_BY_GROUP = (DropReason.REGION_EXCLUDED, DropReason.SPEECH_TYPE_EXCLUDED)
"""Reasons that leave out groups as a whole, whose utterances are in no list of decisions."""


class _Place(NamedTuple):
    """A chosen utterance: its group, its split if it has one, and its number in its segment."""

    region: str
    speech_type: str
    split: str | None
    row: int


class Dropped:
    """
    The dropped utterances of a finished build.

    Args:
        build: The build.
        stage: The folder of its segments.

    Raises:
        BuildError: Its options are of another version, or its decisions are missing or damaged.
    """

    def __init__(self, build: FinishedBuild, stage: Location) -> None:
        self._build, self._stage = build, stage
        self._options = options_of(build)
        self._decisions = build.decisions()
        self._hints = {
            row.archive: msgspec.convert((row.region, row.speech_type, row.split), Hints)
            for row in build.manifest.corpus
        }

    def pairs(self, reason: DropReason, wanted: Wanted, count: int) -> list[ShownPair]:
        """
        Return *count* utterances dropped for *reason*, spread over the build; fewer where there are no more.

        One that was dropped before it had a split is in none, and wanted all the same. Where the stage is gone, texts and
        label files are null.

        Raises:
            BuildError: The reason is one of whole groups, and the stage, which alone has them, is gone.
        """
        if not self._build.manifest.counts.dropped.get(reason):
            return []
        if reason in _BY_GROUP:
            return list(islice(self._excluded(reason, wanted, count), count))
        chosen = self._chosen(reason, wanted, count)
        return [pair for (archive, segment), places in chosen for pair in self._shown(archive, segment, places, reason)]

    def _chosen(self, reason: DropReason, wanted: Wanted, count: int) -> list[tuple[tuple[str, str], list[_Place]]]:
        """Return places of utterances by archive and segment; of all lists of decisions only those are kept that hold one."""
        lists = self._decisions.with_row_index("list").filter(
            pl.col("region").is_in(list(wanted.regions)), pl.col("speech_type").is_in(list(wanted.speech_types))
        )
        split = pl.col("split").cast(pl.String)
        is_wanted = (pl.col("reason") == reason.value) & (split.is_null() | split.is_in(list(wanted.splits)))

        def open_lists(rows: pl.LazyFrame) -> pl.LazyFrame:
            return rows.explode("row", "split", "reason").filter(is_wanted)

        numbers = open_lists(lists).group_by("list").agg(pl.len()).sort("list")
        counted = self._build.collect(numbers)
        chosen: dict[int, list[int]] = defaultdict(list)
        positions = iter(spread(count, int(counted["len"].sum())))
        position, first = next(positions, None), 0
        for number, length in counted.iter_rows():
            while position is not None and position < first + length:
                chosen[number].append(position - first)
                position = next(positions, None)
            first += length
        opened = self._build.collect(open_lists(lists.filter(pl.col("list").is_in(list(chosen)))))
        places: dict[tuple[str, str], list[_Place]] = defaultdict(list)
        for (number,), rows in opened.partition_by("list", as_dict=True, maintain_order=True).items():
            for row in rows[chosen[int(str(number))]].iter_rows(named=True):
                place = _Place(row["region"], row["speech_type"], row["split"], row["row"])
                places[row["archive"], row["segment"]].append(place)
        return list(places.items())

    def _shown(self, archive: str, segment: str, places: Sequence[_Place], reason: DropReason) -> Iterator[ShownPair]:
        path = segment_path(self._stage, segment)
        texts: dict[int, dict[str, object]] = {}
        if read_any_header(path) is not None:
            frame = self._utterances(path, archive, ["member"])
            texts = self._texts(frame.filter(pl.col("row").is_in([place.row for place in places])))
        for place in places:
            facts = {"archive": archive, "dropped": reason, **place._asdict(), **texts.get(place.row, {})}
            del facts["row"]
            yield msgspec.convert(facts, ShownPair)

    def _excluded(self, reason: DropReason, wanted: Wanted, count: int) -> Iterator[ShownPair]:
        """Yield utterances of groups left out: of each segment its share, and then, where that was too few, all others."""
        segments = self._build.collect(self._decisions.select("archive", "segment").unique(maintain_order=True)).rows()
        seen: set[tuple[str, str, int]] = set()
        for most in (-(-count // len(segments)), count):
            for number in walk(len(segments)):
                archive, segment = segments[number]
                frame = self._excluded_rows(archive, segment, reason, wanted)
                rows = [frame["row"][place] for place in spread(most, frame.height)]
                fresh = [row for row in rows if (archive, segment, row) not in seen]
                seen.update((archive, segment, row) for row in fresh)
                taken = frame.filter(pl.col("row").is_in(fresh))
                texts = self._texts(taken)
                for row in taken.iter_rows(named=True):
                    facts = {"archive": archive, "dropped": reason, "split": None, **texts[row["row"]]}
                    yield msgspec.convert(
                        {**facts, "region": row["region"], "speech_type": row["speech_type"]}, ShownPair
                    )

    def _excluded_rows(self, archive: str, segment: str, reason: DropReason, wanted: Wanted) -> pl.DataFrame:
        """Return the utterances of a segment whose group was left out for *reason*."""
        path = segment_path(self._stage, segment)
        if read_any_header(path) is None:
            advice = "give its folder by --stage, or build again"
            raise BuildError(str(path), "a segment of this build is not there, or damaged", advice)
        frame = resolve_placement(self._utterances(path, archive, [*PLACEMENT_COLUMNS, "member"]), self._hints[archive])
        groups = [
            (region, speech_type)
            for region, speech_type in frame.select("region", "speech_type").unique().rows()
            if region in wanted.regions
            and speech_type in wanted.speech_types
            and exclusion_of(
                Group(Region(region), SpeechType(speech_type)), self._options.region, self._options.speech_type
            )
            is reason
        ]
        names = pl.DataFrame(groups, schema={"region": pl.String, "speech_type": pl.String}, orient="row")
        return frame.join(names, on=["region", "speech_type"], how="semi", maintain_order="left")

    def _utterances(self, path: Location, archive: str, columns: Sequence[str]) -> pl.DataFrame:
        source = SegmentSource(str(path), archive, self._hints[archive])
        return read_utterances(source, self._options.unit, self._options.source, columns)

    def _texts(self, frame: pl.DataFrame) -> dict[int, dict[str, object]]:
        """Return label file, sentence and texts of the utterances *frame*, as in an example, by their row."""
        pairs = as_pairs(frame, CleanSettings.of(self._options), self._options.direction)
        texts: dict[int, dict[str, object]] = {}
        for row in pairs.iter_rows(named=True):
            source, target = row["source"] or "", row["target"] or ""
            texts[row["row"]] = {
                "member": row["member"],
                "sentence": row["sentence"],
                "source": source,
                "target": target,
                "runs": runs_of(source, target),
            }
        return texts
