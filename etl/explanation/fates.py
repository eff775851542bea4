"""The fates of utterances: label files in a stage, and what decisions and lineage of a build say of them."""

import unicodedata
from collections import defaultdict, deque
from collections.abc import Iterator

import msgspec
import polars as pl

from saturi.etl.corpus.batches import segment_path
from saturi.etl.corpus.groups import Group, SegmentSource
from saturi.etl.corpus.names import Hints
from saturi.etl.errors import BuildError, StorageError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.options import options_of
from saturi.etl.read.segments import read_files
from saturi.etl.select.clean import TEXTS, compose
from saturi.etl.select.exclusion import exclusion_of
from saturi.etl.select.letters import letters
from saturi.etl.select.markup import CleanSettings
from saturi.etl.select.rules import rules_in_force
from saturi.etl.select.split import is_held_out, resolve_scripts, script_keys, speaker_keys
from saturi.etl.select.utterances import (
    PLACEMENT_COLUMNS,
    as_pairs,
    read_utterances,
    resolve_placement,
    standard_column,
)
from saturi.etl.storage.location import Location
from saturi.schemas.explanation import Explanation, Fate, KeyPlace
from saturi.schemas.terms import DropReason, Region, SpeechType, Split, SplitKey

_Places = dict[tuple[str, str, Split | None, int | None], deque[tuple[str, int]]]
"""By archive, member, split and sentence; several where an archive holds a name twice, in the order of its label files."""

_COLUMNS = ("number", "member", "reason", "position", "detail")


class Fates:
    """
    What a finished build says of its label files.

    Args:
        build: The build.
        stage: The folder of its segments.
        text: Whether texts are in the explanations.

    Raises:
        BuildError: Its options are of another version, or one of its tables is missing or damaged.
    """

    def __init__(self, build: FinishedBuild, stage: Location, *, text: bool) -> None:
        manifest = build.manifest
        self._options = options_of(build)
        self._rules = rules_in_force(self._options)
        self._hints = {
            row.archive: msgspec.convert((row.region, row.speech_type, row.split), Hints) for row in manifest.corpus
        }
        self._held_out = {
            Group(Region(row.region), SpeechType(row.speech_type)): row.held_out for row in manifest.groups
        }
        self._build = build
        self._all_decisions = build.decisions()
        self._lineage = build.lineage()
        self._places: _Places = {}
        self._stage = stage
        self._text = text

    def of(self, name: str) -> list[Explanation]:
        """
        Return what became of every label file with this path, or this last part of it, in the order of the build.

        Raises:
            BuildError: A segment is not in the stage any more, or a table of the build is damaged.
        """
        segments = self._build.collect(self._all_decisions.select("archive", "segment").unique(maintain_order=True))
        self._places = self._places_of(name)
        return [
            explanation
            for archive, segment in segments.iter_rows()
            for explanation in self._of_segment(archive, segment, name)
        ]

    def _of_segment(self, archive: str, segment: str, name: str) -> Iterator[Explanation]:
        path = segment_path(self._stage, segment)
        try:
            files = read_files(path, _COLUMNS).filter(_is_called(name))
        except StorageError as error:
            advice = "give its folder by --stage, or build again"
            raise BuildError(str(path), "a segment of this build is not there, or damaged", advice) from error
        source = SegmentSource(str(path), archive, self._hints[archive])
        for number, member, reason, position, detail in files.iter_rows():
            if reason is not None:
                yield Explanation(
                    archive=archive, member=member, segment=segment, rejected=reason, position=position, detail=detail
                )
            else:
                yield self._of_label_file(source, segment, member, number)

    def _of_label_file(self, source: SegmentSource, segment: str, member: str, number: int) -> Explanation:
        """Return what became of a label file that was decoded: the entry *number* of its archive."""
        options = self._options
        frame = read_utterances(source, options.unit, options.source, [*PLACEMENT_COLUMNS, "number"])
        frame = resolve_placement(frame.filter(pl.col("number") == number), source.hints)
        utterances = as_pairs(frame, CleanSettings.of(options), options.direction)
        if utterances.is_empty():
            return Explanation(archive=source.archive, member=member, segment=segment)
        first = utterances.row(0, named=True)
        group = Group(Region(first["region"]), SpeechType(first["speech_type"]))
        spelled = letters(compose(utterances).select(TEXTS))[standard_column(options.direction)]
        scripts = resolve_scripts(utterances["script"].to_list(), spelled, group.speech_type)
        of_scripts = dict.fromkeys(script_keys(scripts, spelled, group, options.split_by))
        keys = [key for key in of_scripts if key is not None]
        if SplitKey.SPEAKER in options.split_by:
            keys = [*speaker_keys(first["speakers"] or ""), *keys]
        return Explanation(
            archive=source.archive,
            member=member,
            segment=segment,
            region=group.region,
            speech_type=group.speech_type,
            keys=[KeyPlace(key=key, side=self._side(key, group)) for key in keys],
            utterances=list(self._fates(utterances, group, source.archive, segment, member)),
        )

    def _side(self, key: str, group: Group) -> Split | None:
        """Return the split that *key* falls on; None where the split of its group does not follow from keys."""
        held_out = self._held_out.get(group)
        if held_out is None:
            return None
        return Split.VALIDATION if is_held_out(key, held_out) else Split.TRAIN

    def _fates(self, utterances: pl.DataFrame, group: Group, archive: str, segment: str, member: str) -> Iterator[Fate]:
        excluded = exclusion_of(group, self._options.region, self._options.speech_type)
        decided = self._decisions(group, archive, segment)
        for utterance in utterances.iter_rows(named=True):
            sentence = utterance["sentence"]
            split, dropped = (None, excluded) if excluded else decided[utterance["row"]]
            passed = self._rules if dropped is None else self._rules[: self._rules.index(dropped)]
            chunk, line = self._places[archive, member, split, sentence].popleft() if dropped is None else (None, None)
            texts = {side: utterance[side] for side in ("source", "target")} if self._text else {}
            yield Fate(sentence=sentence, split=split, passed=passed, dropped=dropped, chunk=chunk, line=line, **texts)

    def _decisions(self, group: Group, archive: str, segment: str) -> dict[int, tuple[Split | None, DropReason | None]]:
        """Return split and reason of each utterance of a group in a segment, by its row."""
        of_segment = self._all_decisions.filter(
            pl.col("archive") == archive,
            pl.col("segment") == segment,
            pl.col("region") == group.region.value,
            pl.col("speech_type") == group.speech_type.value,
        )
        rows = self._build.collect(of_segment.select("row", "split", "reason").explode("row", "split", "reason"))
        return {
            row: (Split(split) if split else None, DropReason(reason) if reason else None)
            for row, split, reason in rows.iter_rows()
        }

    def _places_of(self, name: str) -> _Places:
        """Return chunk and line of all examples of label files called *name*."""
        called = self._lineage.filter(_is_called(name))
        rows = self._build.collect(called.select("chunk", "line", "archive", "member", "sentence"))
        places: _Places = defaultdict(deque)
        for chunk, line, archive, member, sentence in rows.iter_rows():
            places[archive, member, Split(chunk.split("/")[1]), sentence].append((chunk, line))
        return places


def _is_called(name: str) -> pl.Expr:
    """Whether a member has the path *name*, or that as its last part, composed or decomposed."""
    spellings = {unicodedata.normalize(form, name) for form in ("NFC", "NFD")}
    member = pl.col("member")
    return pl.any_horizontal(
        (member == spelling) | member.str.ends_with(f"/{spelling}") | member.str.ends_with(f"\\{spelling}")
        for spelling in sorted(spellings)
    )
