"""What only the stage of a build knows: groups, repetition by script, examples by speaker, leaks of AI-Hub's split, markup."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

import msgspec
import polars as pl

from saturi.etl.corpus.batches import segment_path
from saturi.etl.corpus.groups import SegmentSource
from saturi.etl.corpus.names import Hints
from saturi.etl.errors import BuildError, OptionError
from saturi.etl.output.files import is_there
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.select.clean import compose, count_residues, rules_concerned, suspects
from saturi.etl.select.letters import letters
from saturi.etl.select.markup import RULES, CleanSettings
from saturi.etl.select.split import resolve_scripts
from saturi.etl.select.utterances import PLACEMENT_COLUMNS, merge_small, read_utterances, resolve_placement
from saturi.etl.settings.options import BuildOptions
from saturi.etl.storage.location import Location
from saturi.schemas.report import MarkupFacts, StageFacts
from saturi.schemas.terms import DropReason, SpeechType, Split

_EXCLUDED = (DropReason.REGION_EXCLUDED, DropReason.SPEECH_TYPE_EXCLUDED)

BINS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
"""Lower ends of the bins of readings of a script, and of examples of a speaker."""

_MARKUP_UTTERANCES = 100_000
"""Utterances in which markup is counted, at most: it takes longer than everything else."""


def stage_facts(build: FinishedBuild, stage: Location) -> StageFacts:
    """
    Return what the segments in *stage*, which *build* is made of, say beyond its manifest.

    Raises:
        BuildError: The decisions or a segment are missing or damaged, or the options are of another version.
    """
    manifest = build.manifest
    try:
        options = BuildOptions(**manifest.options)
    except (TypeError, OptionError) as error:
        raise BuildError(str(build.given), "its options are those of another version", "build again") from error
    excluded = sum(manifest.counts.dropped.get(reason, 0) for reason in _EXCLUDED)
    tally = _Tally(-(-(manifest.counts.utterances - excluded) // _MARKUP_UTTERANCES) or 1)
    for frame in merge_small(_frames(build, stage, options)):
        tally.add(_with_scripts(compose(frame)))
    return tally.facts(options)


def _frames(build: FinishedBuild, stage: Location, options: BuildOptions) -> Iterator[pl.DataFrame]:
    """
    Yield the utterances of each segment.

    Columns: texts, where they belong, `script` (set and prompt), `speakers`; whether region and speech type are `wanted`, and
    whether they are `kept` as examples.
    """
    hints = {
        row.archive: msgspec.convert((row.region, row.speech_type, row.split), Hints) for row in build.manifest.corpus
    }
    decisions = build.collect(build.decisions().select("archive", "segment", "row", "reason"))
    segments = decisions.partition_by(["archive", "segment"], as_dict=True, maintain_order=True)
    for (archive, segment), decided in segments.items():
        path = segment_path(stage, segment)
        if not is_there(path):
            raise BuildError(str(path), "a segment of this build is not there", "build again")
        source = SegmentSource(str(path), archive, hints[archive])
        frame = read_utterances(source, options.unit, options.source, PLACEMENT_COLUMNS)
        rows, reasons = (decided[name].explode(empty_as_null=True) for name in ("row", "reason"))
        frame = frame.with_columns(kept=frame["row"].is_in(rows.filter(reasons.is_null()).drop_nulls().implode()))
        wanted = pl.col("region").is_in(options.region) & pl.col("speech_type").is_in(options.speech_type)
        yield resolve_placement(frame, source.hints).drop("sentence").with_columns(wanted=wanted)


def _with_scripts(frame: pl.DataFrame) -> pl.DataFrame:
    """
    Return *frame* with `set` (of scripts or questions, null where unknown) in the place of the set and prompt, and `script`.

    A script is what is read aloud, as the split of a build knows it: null for a question that was answered, and for a talk.
    """
    places = (frame["speech_type"] == SpeechType.REPEAT).arg_true()
    read = frame[places]
    resolved = resolve_scripts(read["script"].to_list(), letters(read.select("target")).to_series(), SpeechType.REPEAT)
    scripts = pl.repeat(None, frame.height, dtype=pl.String, eager=True).scatter(
        places, pl.Series(resolved, dtype=pl.String)
    )
    return frame.with_columns(set=pl.col("script").str.split(":").list.first(), script=scripts)


class _Tally:
    """
    What was counted so far, segment by segment.

    Args:
        step: In one of so many utterances markup is counted.
    """

    def __init__(self, step: int) -> None:
        self._step = step
        self._utterances = self._looked_at = 0
        self._groups: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._identical: dict[str, tuple[int, int]] = {}
        self._scripts: Counter[tuple[str, str]] = Counter()
        self._speakers: Counter[int] = Counter()
        self._sets: Counter[str] = Counter()
        self._marked: Counter[str] = Counter()
        self._sides = {Split.TRAIN: _Side(), Split.VALIDATION: _Side()}

    def add(self, frame: pl.DataFrame) -> None:
        """Count the utterances in *frame*."""
        self._utterances += frame.height
        for region, speech_type, number in frame.group_by("region", "speech_type").len().iter_rows():
            self._groups[region][speech_type] += number
        self._sets.update(dict(frame["set"].drop_nulls().value_counts(name="count").iter_rows()))
        for split, side in self._sides.items():
            side.add(frame.filter(pl.col("split") == split))
        self._add_wanted(frame.filter("wanted"))
        self._speakers.update(dict(_speakers(frame.filter("kept")).value_counts(name="count").iter_rows()))

    def _add_wanted(self, frame: pl.DataFrame) -> None:
        """Count the utterances in *frame*, all of regions and speech types that the build has not excluded."""
        self._count_markup(frame)
        both = pl.all_horizontal(pl.col("source", "target").is_not_null()).sum().alias("both")
        equal = (pl.col("source") == pl.col("target")).sum().alias("equal")
        for region, same, whole in frame.group_by("region").agg(equal, both).iter_rows():
            before = self._identical.get(region, (0, 0))
            self._identical[region] = (before[0] + same, before[1] + whole)
        scripts = frame.filter(pl.col("script").is_not_null())
        for region, script, number in scripts.group_by("region", "script").len().iter_rows():
            self._scripts[region, script] += number

    def _count_markup(self, frame: pl.DataFrame) -> None:
        pairs = frame[:: self._step].select("source", "target")
        self._looked_at += pairs.height
        places = suspects(pairs)
        if places.len():
            sums = ((pl.col(rule.name) > 0).sum() for rule in RULES)
            suspected = pairs[places]
            residues = count_residues(suspected.lazy(), rules_concerned(suspected))
            self._marked.update(residues.select(sums).collect().row(0, named=True))

    def facts(self, options: BuildOptions) -> StageFacts:
        """Return all of it."""
        train, validation = self._sides[Split.TRAIN], self._sides[Split.VALIDATION]
        settings = CleanSettings.of(options)
        return StageFacts(
            utterances=self._utterances,
            groups={region: dict(types) for region, types in self._groups.items()},
            identical=dict(sorted(self._identical.items())),
            scripts=len(self._scripts),
            bins=list(BINS),
            script_readings=_binned(self._scripts.values()),
            speakers=len(self._speakers),
            speaker_examples=_binned(self._speakers.values()),
            sets=dict(sorted(self._sets.items())),
            official=train.shared(validation) if train.is_known and validation.is_known else None,
            markup=MarkupFacts(
                utterances=self._looked_at,
                marked={rule.name: self._marked[rule.name] for rule in RULES},
                actions={} if settings is None else {rule.name: rule.action(settings).value for rule in RULES},
            ),
        )


class _Side:
    """Speakers, scripts and texts of one of AI-Hub's own splits, as hashes."""

    def __init__(self) -> None:
        self.speakers: set[int] = set()
        self.scripts: set[int] = set()
        self.texts: list[pl.Series] = []

    @property
    def is_known(self) -> bool:
        """Whether any utterance is in this split."""
        return bool(self.texts)

    def add(self, frame: pl.DataFrame) -> None:
        """Take in the utterances in *frame*."""
        if frame.is_empty():
            return
        self.speakers.update(_speakers(frame).unique())
        scripts = frame.filter(pl.col("script").is_not_null()).select(pl.struct("region", "script").hash()).to_series()
        self.scripts.update(scripts.unique())
        texts = pl.concat([frame["source"].drop_nulls(), frame["target"].drop_nulls().rename("source")])
        self.texts.append(texts.hash().unique())

    def shared(self, other: "_Side") -> dict[str, int]:
        """Return what is in both."""
        mine, theirs = (pl.concat(side.texts).unique() for side in (self, other))
        return {
            "speakers": len(self.speakers & other.speakers),
            "scripts": len(self.scripts & other.scripts),
            "texts": mine.len() + theirs.len() - pl.concat([mine, theirs]).n_unique(),
        }


def _speakers(frame: pl.DataFrame) -> pl.Series:
    """Return the hash of each speaker of each utterance in *frame*."""
    names = (
        frame["speakers"].str.split("\n").explode(empty_as_null=True).drop_nulls().str.strip_chars().str.to_lowercase()
    )
    return names.filter(names != "").hash().rename("speaker")


def _binned(numbers: Iterable[int]) -> list[int]:
    counts = Counter(bisect_right(BINS, number) - 1 for number in numbers)
    return [counts[place] for place in range(len(BINS))]
