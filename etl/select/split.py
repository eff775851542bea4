"""
The split of an utterance, which follows from its keys alone: no global state, and the same when archives are added.

A key is a speaker, or, for `repeat`, also the script (region, set, prompt), since the same 1,668 scripts are read by
thousands. Where a label file of `repeat` names no script, its standard text stands for it. Each key is hashed to train
or validation. A row is validation if all its keys are, train if none is, and neither otherwise: a voice or a script is
never in both splits.
"""

import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Literal

import polars as pl

from etl.corpus.groups import Group
from etl.corpus.names import WITHIN
from schemas.terms import Region, SpeechType, Split

SPLIT: pl.DataType = pl.Enum([split.value for split in Split])


@lru_cache(maxsize=65_536)
def is_held_out(key: str, share: float) -> bool:
    """Whether *key* is among the *share* of keys that are validation; the same on every machine and in every version."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) < share * 2**64


def split_of(keys: Iterable[str], share: float) -> Split | None:
    """
    Return the split of a row with *keys*, or None where they fall on both.

    A row without any key is train: nothing shows that it would not leak.
    """
    held_out = {is_held_out(key, share) for key in keys}
    if len(held_out) > 1:
        return None
    return Split.VALIDATION if True in held_out else Split.TRAIN


def keys_of(speakers: str, scripts: Iterable[str], region: Region) -> list[str]:
    """Return the keys of *speakers* (ids, one a line) who read *scripts* (of `resolve_scripts`) of a region."""
    return [*speaker_keys(speakers), *(script_key(script, region) for script in scripts)]


def speaker_keys(speakers: str) -> list[str]:
    """
    Return the keys of *speakers* (ids, one a line), each once.

    Those known only within one file (`file/1`) are heard together there and nowhere else: the file is the key of all, so
    that a conversation is whole in one split.
    """
    return list(
        dict.fromkeys(
            f"speaker:{unicodedata.normalize('NFC', speaker).strip().casefold().partition(WITHIN)[0]}"
            for speaker in speakers.split("\n")
            if speaker.strip()
        )
    )


def script_key(script: str, region: Region) -> str:
    """Return the key of *script* (of `resolve_scripts`) of a region."""
    return f"script:{region}:{script}"


def resolve_scripts(script: pl.Series, standard: pl.Series, speech_type: SpeechType) -> pl.Series:
    """
    Return the script of each utterance; null where it is none that many read.

    Args:
        script: Set and prompt, null where unknown.
        standard: Its text in standard Korean; the letters and digits in it stand for a script that is unknown.
        speech_type: That of all utterances.
    """
    if speech_type is not SpeechType.REPEAT:
        return pl.repeat(None, script.len(), dtype=pl.String, eager=True)
    places = script.is_null().arg_true()
    if places.is_empty():
        return script
    texts = standard[places]
    distinct = texts.unique().to_list()
    return script.scatter(
        places, texts.replace_strict(distinct, list(map(_stand_in, distinct)), return_dtype=pl.String)
    )


def _stand_in(text: str | None) -> str | None:
    """Return the stand-in for the script of a label file with this standard *text*: a hash, since keys hold no texts."""
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFC", text or "").casefold()))
    return f"text:{blake2b(letters.encode(), digest_size=16).hexdigest()}" if letters else None


def splits(frame: pl.DataFrame, group: Group, validation: float | Literal["official"]) -> pl.Series:
    """
    Return the split of each row of *frame*, all of one group; null where it has none.

    Args:
        frame: Columns `split` (as published), `speakers`, `script` (of `resolve_scripts`).
        group: Region and speech type of all rows.
        validation: Share of the keys that are held out, or "official" for the splits as published.
    """
    if validation == "official":
        return frame["split"].cast(SPLIT)
    if validation == 0:
        return pl.repeat(Split.TRAIN.value, frame.height, dtype=SPLIT, eager=True)
    # Few different ones: a thousandth of the time of looking at every row.
    speakers = _splits_of_keys(frame["speakers"], speaker_keys, validation)
    script = _splits_of_keys(frame["script"], lambda script: [script_key(script, group.region)], validation)
    return (speakers | script).replace_strict(list(_SPLITS), list(_SPLITS.values()), return_dtype=SPLIT)


_TRAIN, _VALIDATION = 1, 2
_SPLITS = {0: Split.TRAIN, _TRAIN: Split.TRAIN, _VALIDATION: Split.VALIDATION, _TRAIN | _VALIDATION: None}
"""The split of a row by those that its keys fall on: none, train, validation, or both."""


def _splits_of_keys(column: pl.Series, keys: Callable[[str], Iterable[str]], share: float) -> pl.Series:
    """Return the splits that the *keys* of each text of *column* fall on, as in `_SPLITS`."""
    distinct = column.drop_nulls().unique().to_list()
    splits_of_keys = []
    for text in distinct:
        held_out = {is_held_out(key, share) for key in keys(text)}
        splits_of_keys.append(_VALIDATION * (True in held_out) + _TRAIN * (False in held_out))
    return column.replace_strict(distinct, splits_of_keys, default=0, return_dtype=pl.UInt8)
