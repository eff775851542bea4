"""The inspection: contents of a corpus by archive, region and speech type, as `inspect --json` prints it; no text of it."""

from typing import Any

from msgspec import Struct

from saturi.schemas.brief import brief

INSPECTION_VERSION = 1


class InspectedArchive(Struct, frozen=True, kw_only=True):
    """
    One archive; `inspected` = `decoded` + the sum of `rejected`, and is less than `label_files` for a sample.

    `generations` counts decoded label files by year; `ignored` are members that are no label files, `transcripts` the
    `.txt` twins among them. Bytes and `transcripts` are null for a stage. `problem` is the reason why the archive could not
    be read, or null.
    """

    archive: str
    region: str | None
    speech_type: str | None
    split: str | None
    deidentified: bool
    label_files: int
    packed_bytes: int | None
    json_bytes: int | None
    inspected: int
    decoded: int
    rejected: dict[str, int]
    repaired: int
    ignored: int
    transcripts: int | None
    generations: dict[str, int]
    problem: str | None = None


class Lengths(Struct, frozen=True, kw_only=True):
    """Characters of source or target texts: 5th, 25th, 50th, 75th and 95th percentile (nearest rank), and the maximum."""

    p5: int
    p25: int
    p50: int
    p75: int
    p95: int
    most: int


class FieldValue(Struct, frozen=True, kw_only=True):
    """A value of a closed field, null where it is missing, and its number of occurrences."""

    value: Any  # any JSON value, as it occurs in the corpus
    count: int


class ClosedField(Struct, frozen=True, kw_only=True):
    """The values of a closed field, the most frequent first; `others` counts the occurrences of further values."""

    field: str
    values: list[FieldValue]
    others: int


class InspectedGroup(Struct, frozen=True, kw_only=True):
    """
    The label files of one region and speech type, or of all (both `all`).

    Of the `sentences` (in 2020, utterances), `blank` lack source or target; `identical` (equal texts), `distinct_pairs` (by
    64-bit hashes) and lengths are about the others. `scripts` are distinct pairs of set and prompt, `script_files` the label
    files that read them. `speakers` are distinct ids; `speakers_on_both_sides` occur in AI-Hub's training and in its
    validation archives. `residues` counts sentences with markup by cleaning rule, `disagreements` label files by the fact
    on which name, archive and contents disagree, `missing` label files and sentences by the field they lack. `fields` is
    null for a stage, which does not hold them.
    """

    region: str
    speech_type: str
    files: dict[str, int]
    generations: dict[str, int]
    sentences: int
    blank: int
    identical: int
    distinct_pairs: int
    scripts: int
    script_files: int
    source_characters: Lengths | None
    target_characters: Lengths | None
    speakers: int
    speakers_on_both_sides: int
    residues: dict[str, int]
    disagreements: dict[str, int]
    missing: dict[str, int]
    fields: list[ClosedField] | None


class Inspection(Struct, frozen=True, kw_only=True):
    """The whole inspection; `sample` is the number of label files requested, null for all."""

    version: int
    sample: int | None
    archives: list[InspectedArchive]
    ignored_archives: int | None
    ignored_files: int | None
    groups: list[InspectedGroup]
    total: InspectedGroup
    warnings: list[str]

    def __repr__(self) -> str:
        return brief(self, archives=len(self.archives), sentences=self.total.sentences, warnings=len(self.warnings))


class ScannedArchive(Struct, frozen=True, kw_only=True):
    """What the directory of an archive holds: label files, and their bytes in it and inflated, as declared."""

    archive: str
    label_files: int
    packed_bytes: int
    json_bytes: int
