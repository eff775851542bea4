"""The manifest: the contents of a build, written last, so that its presence proves that the build is complete."""

from typing import Any

from msgspec import Struct

from saturi.schemas.brief import brief

MANIFEST_VERSION = 6


class ArchiveRow(Struct, frozen=True, kw_only=True):
    """
    One archive of the corpus; `label_files` = `decoded` + `rejected`.

    `generations` counts decoded label files by the year of their form; `deidentified` is true if the archive's name says so.
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
    repaired comma or string, `generations` decoded label files by the year of their form, `disagreements` label files by
    the fact on which name, archive and contents disagree, `oddities` label files whose texts were taken although a
    field beside them has an odd type, or only the whole or only the sentences have any, `unknown` decoded label files
    without `region`, without `speech_type`, without `either`; and, of the regions and speech types that are kept, those
    without a `speaker` and those read aloud without a `script`, or with the number of one but not its set (`script_set`).
    `shared` is measured on the written examples: distinct `speakers`, `scripts` and `texts` (source or target) that occur
    in both train and validation; `validation_in_training` counts the validation examples with such a text.
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
    All examples of one (split, region, speech type); `all` stands for a dimension that does not separate shards.

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


class GroupRow(Struct, frozen=True, kw_only=True):
    """
    The split of the utterances of one (region, speech type).

    `train` and `validation` count examples, `identical` those of both whose source equals their target, `validation_share` is the
    part of validation in both, `held_out` the share of
    scripts, texts or speakers that are held out (null where the split does not follow from them), `split_conflict` and
    `in_training` what the split has cost.
    """

    region: str
    speech_type: str
    train: int
    validation: int
    identical: int
    validation_share: float
    held_out: float | None
    split_conflict: int
    in_training: int


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

    `options` holds every option that determines the bytes, under its command-line name.
    """

    version: int
    options: dict[str, Any]  # any JSON value: options of later versions must be readable, too
    corpus: list[ArchiveRow]
    counts: Counts
    shards: list[ShardRow]
    groups: list[GroupRow]
    unsharded: list[UnshardedRow]
    chunks: list[ChunkRow]

    def __repr__(self) -> str:
        return brief(self, archives=len(self.corpus), examples=self.counts.examples, chunks=len(self.chunks))


class Reject(Struct, frozen=True, kw_only=True):
    """
    One line of `rejects.jsonl`: a label file that could not be read.

    `position` is the byte in the document where decoding stopped, or, for a damaged member, the byte of the archive where
    it begins; null if neither is known. `detail` never holds text of the corpus.
    """

    archive: str
    member: str
    reason: str
    position: int | None
    detail: str
