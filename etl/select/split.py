"""
Which side an utterance falls on, told from its keys alone: no global state, and the same when archives are added.

A key is a speaker, or, for `repeat`, also the script (region, set, prompt), since the same 1,668 scripts are read by
thousands. Each key is hashed to train or validation. A row is validation if all its keys are, train if none is, and
neither otherwise: a voice or a script is never on both sides.
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

import polars as pl

from etl.options import BuildOptions
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
    keys = [f"speaker:{speaker.casefold()}" for speaker in speakers.split("\n") if speaker]
    if script is not None and speech_type is SpeechType.REPEAT:
        keys.append(f"script:{region}:{script}")
    return keys


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
    found = [
        side_of(keys_of(speakers, script, region, speech_type), share)
        for speakers, script in frame.select("speakers", "script").iter_rows()
    ]
    return pl.Series(found, dtype=SPLIT)
