"""Treatment of each kind of transcribers' markup: the `[clean]` table of `etl.toml`, and an option of a build."""

from enum import StrEnum

from msgspec import Struct


class Action(StrEnum):
    """Action of a rule on its markup: rewrite the text, drop the utterance, or keep both."""

    REWRITE = "rewrite"
    DROP = "drop"
    KEEP = "keep"


class Pii(StrEnum):
    """Treatment of personal data: drop the utterance, mask the data, or keep both."""

    DROP = "drop"
    MASK = "mask"
    KEEP = "keep"


class CleanRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    The action of each cleaning rule in `saturi.etl.select.clean`, personal data apart, in the order in which they run.

    Args:
        invisible: characters without width (U+200B, U+FEFF, U+00AD, marks of direction, control characters); removed.
        double: `(방언)/(표준어)`, a double transcription; the source keeps the first, the target the second.
        event: `{laughing}`, a sound that is no speech.
        inaudible: `(())`, speech that could not be understood.
        unsure: `((…))`, an uncertain transcription.
        broken: such a bracket without its partner.
        interjection: `#오메`, an interjection of the dialect; the word is kept.
        stutter: `-태- 태교`, a false start, and a hyphen where a word breaks off; within a word and between numbers it is kept.
        lengthening: `~`, a lengthened syllable; in a range with a number it is kept, and where either is possible the
            utterance is dropped.
        unclear: `x` and `xx`, a syllable that could not be understood; in `x축` and `3 x 4` it is kept.
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
