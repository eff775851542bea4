"""What `inspect` tells, as data (`--json`): archive by archive, and by region and speech type; no text of the corpus."""

from typing import Any

from msgspec import Struct

INSPECTION_VERSION = 1


class InspectedArchive(Struct, frozen=True, kw_only=True):
    """
    One archive; `inspected` = `decoded` + the sum of `rejected`, and is less than `label_files` where a sample was taken.

    `generations` counts decoded label files by year; `ignored` are members that are no label files, `transcripts` the
    `.txt` twins among them. Bytes and twins are null where only a stage was looked at. `problem` says why nothing of it
    was.
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
    """Characters of the texts of one side: the 5th, 25th, 50th, 75th and 95th of a hundred (nearest rank), and the most."""

    p5: int
    p25: int
    p50: int
    p75: int
    p95: int
    most: int


class FieldValue(Struct, frozen=True, kw_only=True):
    """A value of a closed field, null where it is missing, and how often it occurs."""

    value: Any  # any JSON value: to see which ones occur is the point
    count: int


class ClosedField(Struct, frozen=True, kw_only=True):
    """The values of a closed field, the most frequent first; `others` counts how often further ones occur."""

    field: str
    values: list[FieldValue]
    others: int


class InspectedGroup(Struct, frozen=True, kw_only=True):
    """
    The label files of one region and speech type, or of all (both `all`).

    Of the `sentences` (in 2020, utterances), `blank` have no text on one side; `identical`, `distinct_pairs` (told apart
    by 64-bit hashes) and lengths are about the others. `scripts` are different sets and prompts, which `script_files`
    label files read. `speakers` are told apart by their ids; `speakers_on_both_sides` are in AI-Hub's training and in its
    validation archives. `residues` counts sentences with markup by cleaning rule, `disagreements` label files by what
    their name, archive and contents tell differently, `missing` label files and sentences by what they lack. `fields` is
    null where only a stage was looked at, which does not hold them.
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
    """Everything that was found; `sample` is how many label files were asked for, null for all."""

    version: int
    sample: int | None
    archives: list[InspectedArchive]
    ignored_archives: int | None
    ignored_files: int | None
    groups: list[InspectedGroup]
    total: InspectedGroup
    warnings: list[str]
