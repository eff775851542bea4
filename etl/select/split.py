"""
Which side an utterance falls on, told from its keys alone: no global state, and the same when archives are added.

A key is a speaker, or, for `repeat`, also the script (region, set, prompt), since the same 1,668 scripts are read by
thousands. Each key is hashed to train or validation. A row is validation if all its keys are, train if none is, and
neither otherwise: a voice or a script is never on both sides.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from hashlib import blake2b

import polars as pl

from etl.corpus.names import WITHIN
from etl.settings.options import BuildOptions
from schemas.terms import Region, SpeechType, Split

SPLIT: pl.DataType = pl.Enum([split.value for split in Split])


@lru_cache(maxsize=65_536)
def is_held_out(key: str, share: float) -> bool:
    """Whether *key* is among the *share* of keys that are validation; the same on every machine and in every version."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) < share * 2**64


def side_of(keys: Iterable[str], share: float) -> Split | None:
    """
    Return the side of a row with *keys*, or None where they fall on both.

    A row without any key is train: nothing shows that it would not leak.
    """
    sides = {is_held_out(key, share) for key in keys}
    if len(sides) > 1:
        return None
    return Split.VALIDATION if True in sides else Split.TRAIN


def keys_of(speakers: str, script: str | None, region: Region, speech_type: SpeechType) -> list[str]:
    """Return the keys of a label file with *speakers* (ids, one a line) who read *script*, if it is one that many read."""
    return [*speaker_keys(speakers), *script_keys(script, region, speech_type)]


def speaker_keys(speakers: str) -> list[str]:
    """
    Return the keys of *speakers* (ids, one a line), each once.

    Those known only within one file (`file/1`) are heard together there and nowhere else: the file is the key of all, so
    that a conversation is whole on one side.
    """
    return list(
        dict.fromkeys(
            f"speaker:{speaker.strip().casefold().partition(WITHIN)[0]}"
            for speaker in speakers.split("\n")
            if speaker.strip()
        )
    )


def script_keys(script: str | None, region: Region, speech_type: SpeechType) -> list[str]:
    """Return the key of *script* (set and prompt) of a region, where it is one that many read."""
    return [f"script:{region}:{script}"] if script is not None and speech_type is SpeechType.REPEAT else []


def sides(frame: pl.DataFrame, options: BuildOptions, region: Region, speech_type: SpeechType) -> pl.Series:
    """
    Return the side of each row of *frame*, all of one region and speech type; null where it has none.

    Args:
        frame: Columns `split` (as published), `speakers`, `script`.
    """
    if options.validation == "official":
        return frame["split"].cast(SPLIT)
    share = options.validation
    if share == 0:
        return pl.repeat(Split.TRAIN.value, frame.height, dtype=SPLIT, eager=True)
    # Few different ones: a thousandth of the time of looking at every row.
    speakers = _seen_on(frame["speakers"], speaker_keys, share)
    scripts = _seen_on(frame["script"], partial(script_keys, region=region, speech_type=speech_type), share)
    names = [_SIDES[seen] for seen in range(4)]
    return (speakers | scripts).replace_strict(range(4), names, return_dtype=SPLIT)


_TRAIN, _VALIDATION = 1, 2
_SIDES = {0: Split.TRAIN, _TRAIN: Split.TRAIN, _VALIDATION: Split.VALIDATION, _TRAIN | _VALIDATION: None}


def _seen_on(column: pl.Series, keys: Callable[[str], Iterable[str]], share: float) -> pl.Series:
    """Return for each text of *column* on which sides its *keys* fall: none (0), train, validation, or both of these (3)."""
    distinct = column.drop_nulls().unique().to_list()
    seen = []
    for text in distinct:
        held_out = {is_held_out(key, share) for key in keys(text)}
        seen.append(_VALIDATION * (True in held_out) + _TRAIN * (False in held_out))
    return column.replace_strict(distinct, seen, default=0, return_dtype=pl.UInt8)
