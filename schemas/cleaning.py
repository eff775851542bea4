"""What becomes of each kind of transcribers' markup: the `[clean]` table of `etl.toml`, and an option of a build."""

from enum import StrEnum

from msgspec import Struct


class Action(StrEnum):
    """What a rule does where it finds its markup: mend the text, drop the utterance, or nothing."""

    REWRITE = "rewrite"
    DROP = "drop"
    KEEP = "keep"


class Pii(StrEnum):
    """What becomes of personal data: the utterance is dropped, the data is masked, or all stays as it is."""

    DROP = "drop"
    MASK = "mask"
    KEEP = "keep"


class CleanRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    The action of each rule of `etl.select.clean` that does not look for personal data, in the order in which they run.

    Args:
        invisible: characters that show nothing, such as U+200B, U+FEFF, U+00AD and marks of direction; they are removed.
        double: `(방언)/(표준어)`, a double transcription; the source keeps the first, the target the second.
        event: `{laughing}`, what is heard and is no speech.
        inaudible: `(())`, speech not understood at all.
        unsure: `((…))`, speech not understood for sure.
        broken: what is left of such brackets where one is missing.
        interjection: `#오메`, an interjection of the dialect; the word stays.
        stutter: `-태- 태교`, a word begun in vain, and a hyphen where a word breaks off; within a word or between
            numbers it stays.
        lengthening: `~`, a syllable drawn out; in a range with a number it stays, and where it may be a range the utterance is
            dropped.
        unclear: `x` and `xx`, a syllable not understood; in `x축` or `3 x 4` it stays.
        space: white space around a text, doubled, or of an unusual kind.
    """

    invisible: Action = Action.REWRITE
    double: Action = Action.REWRITE
    event: Action = Action.REWRITE
    inaudible: Action = Action.DROP
    unsure: Action = Action.DROP
    broken: Action = Action.DROP
    interjection: Action = Action.REWRITE
    stutter: Action = Action.REWRITE
    lengthening: Action = Action.REWRITE
    unclear: Action = Action.DROP
    space: Action = Action.REWRITE
