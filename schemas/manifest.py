"""The manifest: what a build holds, written last, so that its presence says that everything else is there."""

from typing import Any

from msgspec import Struct

MANIFEST_VERSION = 3


class ArchiveRow(Struct, frozen=True, kw_only=True):
    """
    One archive of the corpus; `label_files` = `decoded` + `rejected`.

    `generations` counts the decoded ones by the year of their form; `deidentified` is what the archive's name says.
    """

    archive: str
    fingerprint: str
    region: str | None
    speech_type: str | None
    split: str | None
    label_files: int
    decoded: int
    rejected: int
    ignored: int
    generations: dict[str, int]
    deidentified: bool
    problem: str | None = None


class Counts(Struct, frozen=True, kw_only=True):
    """
    The account of a build, in label files and in utterances.

    `label_files` = `decoded` + the sum of `rejected`; `utterances` = `examples` + the sum of `dropped`. `ignored`
    counts members that are no label files, `ignored_archives` whole archives (audio), `repaired` label files with a
    broken comma or string mended, `generations` decoded label files by the year of their form, `disagreements` label
    files whose name, archive and contents tell different things, `oddities` label files whose texts were taken although a
    field beside them has an odd type, or only the whole or only the sentences have any, `unknown` decoded label files of
    which nothing tells the region or the speech type. `shared` is measured on the examples as written: how many different
    `speakers`, `scripts` and `texts` (of either side of a pair) both train and validation have;
    `validation_in_training` how many validation examples have such a text.
    """

    label_files: int
    decoded: int
    rejected: dict[str, int]
    ignored: int
    ignored_archives: int
    repaired: int
    generations: dict[str, int]
    disagreements: dict[str, int]
    oddities: dict[str, int]
    unknown: dict[str, int]
    utterances: int
    dropped: dict[str, int]
    examples: int
    shared: dict[str, int]
    validation_in_training: int


class ShardRow(Struct, frozen=True, kw_only=True):
    """
    All examples of one (split, region, speech type); `all` stands for a region or a speech type that does not part shards.

    `tokens` are those of o200k_base, null where they were not counted.
    """

    split: str
    region: str
    speech_type: str
    utterances: int
    dropped: dict[str, int]
    examples: int
    bytes: int
    chunks: int
    too_few: bool
    tokens: int | None = None


class UnshardedRow(Struct, frozen=True, kw_only=True):
    """Utterances of one (region, speech type) dropped before they had a split."""

    region: str
    speech_type: str
    dropped: dict[str, int]


class ChunkRow(Struct, frozen=True, kw_only=True):
    """One JSONL file of a shard; `path` is relative to the output folder, with forward slashes, and `tokens` as in its shard."""

    split: str
    region: str
    speech_type: str
    path: str
    examples: int
    bytes: int
    sha256: str
    tokens: int | None = None


class Manifest(Struct, frozen=True, kw_only=True):
    """
    The contents of a build: same corpus and options, same bytes.

    `options` holds every option that decides the bytes, under its command-line name.
    """

    version: int
    options: dict[str, Any]  # any JSON value: options of later versions must be readable, too
    corpus: list[ArchiveRow]
    counts: Counts
    shards: list[ShardRow]
    unsharded: list[UnshardedRow]
    chunks: list[ChunkRow]


class Reject(Struct, frozen=True, kw_only=True):
    """
    One line of `rejects.jsonl`: a label file that could not be read.

    `position` is the byte in the document where decoding stopped, or, where the member itself is damaged, the byte of
    the archive at which it begins; null where neither is known. `detail` never holds text of the corpus.
    """

    archive: str
    member: str
    reason: str
    position: int | None
    detail: str
