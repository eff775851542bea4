"""What became of one label file, step by step."""

from msgspec import Struct

from schemas.terms import DropReason, Region, SpeechType, Split


class KeyPlace(Struct, frozen=True, kw_only=True):
    """A key of a label file and the side it falls on; None where the split does not go by keys."""

    key: str
    side: Split | None


class Fate(Struct, frozen=True, kw_only=True):
    """
    What became of one utterance.

    `sentence` is its number in the label file, or None for all of it; `passed` are the rules that let it pass, in order, and
    `dropped` the one that did not; `chunk` and `line` tell where it is otherwise. `source` and `target` are null unless they
    were asked for.
    """

    sentence: int | None
    split: Split | None
    passed: list[DropReason]
    dropped: DropReason | None
    chunk: str | None = None
    line: int | None = None
    source: str | None = None
    target: str | None = None


class Explanation(Struct, frozen=True, kw_only=True):
    """
    What became of one label file.

    `rejected` is the reason why it could not be read, with `position` and `detail` as in `rejects.jsonl`, or None. What
    follows is empty in that case.
    """

    archive: str
    member: str
    segment: str
    rejected: str | None = None
    position: int | None = None
    detail: str | None = None
    region: Region | None = None
    speech_type: SpeechType | None = None
    keys: list[KeyPlace] = []
    utterances: list[Fate] = []
