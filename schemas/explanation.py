"""The explanation: the way of one label file through a build, step by step, as `explain --json` prints it."""

from msgspec import Struct

from saturi.schemas.brief import brief
from saturi.schemas.terms import DropReason, Region, SpeechType, Split


class KeyPlace(Struct, frozen=True, kw_only=True):
    """A key of a label file and the split it is assigned to; None where the split does not depend on keys."""

    key: str
    side: Split | None


class Fate(Struct, frozen=True, kw_only=True):
    """
    The decision on one utterance.

    `sentence` is its number in the label file, null for the whole file. `passed` are the rules that kept it, in order, and
    `dropped` the rule that did not; `chunk` and `line` are its place if it is an example. `source` and `target` are null
    unless texts were requested.
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
    One label file: rejected, or decoded with the decisions on its utterances.

    `rejected` is the reason why it could not be read, with `position` and `detail` as in `rejects.jsonl`, or null. The
    fields after these are empty for a rejected label file.
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

    def __repr__(self) -> str:
        return brief(
            self, member=self.member, rejected=self.rejected, dropped=[fate.dropped for fate in self.utterances]
        )
