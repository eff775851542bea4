"""
The segment: the label files of one batch, decoded, as columns on disk.

A segment file is one line of JSON (`SegmentHeader`), then two Arrow IPC streams one after the other: `FILES`, a row a
label file, decoded or rejected, and `SENTENCES`, a row a sentence or utterance. It is a cache: a file that does not match
its header is made anew.
"""

from msgspec import Struct

SEGMENT_VERSION = 3
"""Raised with every change of the form of a segment; segments of other versions are not read."""


class Kind(Struct, frozen=True, order=True):
    """Where a label file belongs by its form, by its name and by its contents; each null where that is not known."""

    generation: int
    region: str | None = None
    speech_type: str | None = None
    split: str | None = None
    label_region: str | None = None
    label_speech_type: str | None = None


class KindCount(Struct, frozen=True):
    """
    Numbers of decoded label files, of their turns (2020 only) and of their sentences, of one kind.

    Of the label files, `without_script` have no script, `script_by_number` a script with a number and without a set, and
    `without_speaker` no speaker.
    """

    kind: Kind
    files: int
    turns: int
    sentences: int
    without_script: int = 0
    script_by_number: int = 0
    without_speaker: int = 0


class Disagreements(Struct, frozen=True, kw_only=True):
    """Numbers of label files whose name and contents disagree, by the fact on which they disagree."""

    file_name: int = 0
    prompt: int = 0
    speaker: int = 0


class Oddities(Struct, frozen=True, kw_only=True):
    """
    Label files that were decoded although something is odd with them.

    `odd_field` have a field beside the texts of another type than described; `whole_only` have texts and no sentences, so that
    the whole is their one sentence; `sentences_only` have sentences and no text of the whole, which is then theirs joined.
    """

    odd_field: int = 0
    whole_only: int = 0
    sentences_only: int = 0


class SegmentHeader(Struct, frozen=True, kw_only=True):
    """
    Facts of one segment, enough to account for it without reading its columns.

    `version` is `SEGMENT_VERSION`; `key` identifies the bytes and the decoder the segment was made by; `crc32` is
    that of the header, with 0 in this place, and of the two IPC streams that follow it; `rejected` counts label files by
    reason; `spoken` counts those with rows in `SENTENCES`, which every decoded one has; `digest` is the SHA-256 of names,
    sizes and CRC-32s of the label files, in order, and `content_sum` a sum over sizes and CRC-32s that no order changes;
    `witness` is a hash of size, times and inode of the files of the archive,
    by which they differ from others with the same directory.
    """

    version: int
    key: str
    witness: str
    crc32: int
    files_bytes: int
    label_files: int
    decoded: int
    rejected: dict[str, int]
    ignored: int
    repaired: int
    kinds: list[KindCount]
    spoken: int
    disagreements: Disagreements
    oddities: Oddities
    digest: str
    content_sum: int
