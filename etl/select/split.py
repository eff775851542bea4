"""
The split of an utterance, which follows from its keys alone: no global state, and the same when archives are added.

A key is a script (region, set, prompt), since the same 1,668 scripts are read by thousands, a speaker, or a text. Which of
them count is `--split-by`: `script` (the script of what is read aloud, the text of everything else), `speaker`, or both, the
scripts and the speakers. Each key has a place from 0 to 1 by its hash, and is held out below a bound. A row is validation if
all its keys are held out, train if none is, and neither otherwise: a key that counts is never in both splits.

Where a row may have two keys, of which the share q is held out, q² of such rows are validation and (1 - q)² train, so that
q / (1 - q) is the root of the odds of the share that was asked for. A row with one key is then validation below a lower
bound, which gives the same share, and between the two it is in neither split: its speaker may be in validation with another
key.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import blake2b
from math import sqrt
from typing import NamedTuple

import polars as pl

from saturi.etl.corpus.groups import Group
from saturi.etl.corpus.names import WITHIN
from saturi.etl.select.letters import LETTER, letters
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import Region, SpeechType, Split, SplitKey

SPLIT: pl.DataType = pl.Enum([split.value for split in Split])

PLACES = 2**64
"""Number of places of keys; place / `PLACES` is below a share for that share of the keys."""

_OF_TWO_KEYS = {
    SpeechType.REPEAT: {SplitKey.SCRIPT, SplitKey.SPEAKER},
    SpeechType.DIALOGUE: {SplitKey.SPEAKER},
}
"""Speech types whose rows have two keys where these count: a reader and a script, or two speakers."""

_BLOCK = 20
_NUMBERED = re.compile(r"(script:.*?)([0-9]{1,9})", re.DOTALL)

_TRAIN, _VALIDATION, _MARGIN = 1, 2, 4
_ALONE = _VALIDATION | _MARGIN


class SplitRule(NamedTuple):
    """
    Which keys count, and how many of them are held out.

    Args:
        by: The kinds of keys that count.
        held_out: Share of the keys that are held out.
        alone: Share of the keys that make a row validation which has no other; less where rows may have two keys.
    """

    by: tuple[SplitKey, ...]
    held_out: float
    alone: float

    @classmethod
    def of(cls, options: BuildOptions) -> "SplitRule":
        """Return the rule of a build, whose split is not the official one."""
        share, by = float(options.validation), options.split_by
        if not any(kind in options.speech_type and kinds <= set(by) for kind, kinds in _OF_TWO_KEYS.items()):
            return cls(by, share, share)
        odds = share / (1 - share)
        held_out = sqrt(odds) / (1 + sqrt(odds))
        return cls(by, held_out, odds * (1 - held_out))

    def sides_of(self, keys: Iterable[str]) -> int:
        """Return where *keys* fall, as the sum of sides: 0 without any, with the margin where it is but one between both bounds."""
        places = {place_of(key) / PLACES for key in keys}
        held_out = [place < self.held_out for place in places]
        margin = len(places) == 1 and self.alone <= min(places) < self.held_out
        return _VALIDATION * any(held_out) + _TRAIN * (not all(held_out)) + _MARGIN * margin


def place_of(key: str) -> int:
    """
    Return the place of *key*, below `PLACES`; the same on every machine and in every version.

    Scripts are numbered. Of `_BLOCK` that follow each other one has its place in each part of as many, so that the share is
    met among a few hundred, too: by chance alone, 5 % of 330 may be 2.6 % or 7.4 %. Not so speakers, who meet in dialogues,
    often with a neighbour: one held out would be a reason for the other not to be.
    """
    numbered = _NUMBERED.fullmatch(key)
    if numbered is None:
        return _hash(key)
    series, number = numbered.groups()
    block, position = divmod(int(number), _BLOCK)
    return (_parts(f"{series}{block}")[position] * PLACES + _hash(key)) // _BLOCK


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())


@lru_cache(maxsize=16_384)
def _parts(block: str) -> tuple[int, ...]:
    """Return the part of the places that each key of *block* has, by position: every part once, in an order by hash."""
    in_order = sorted(range(_BLOCK), key=lambda position: _hash(f"{block}+{position}"))
    return tuple(in_order.index(position) for position in range(_BLOCK))


def places_of(keys: pl.Series) -> pl.Series:
    """Return the place of each of *keys*; null without one."""
    distinct = keys.drop_nulls().unique()
    if 2 * distinct.len() > keys.len():
        return pl.Series([None if key is None else place_of(key) for key in keys], dtype=pl.UInt64)
    by_key = pl.Series([place_of(key) for key in distinct], dtype=pl.UInt64)
    return keys.replace_strict(distinct, by_key, default=None, return_dtype=pl.UInt64)


def is_held_out(key: str, share: float) -> bool:
    """Whether *key* is among the *share* of keys that are held out."""
    return place_of(key) < share * PLACES


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


def script_keys(script: pl.Series, standard: pl.Series, group: Group, by: Iterable[SplitKey]) -> pl.Series:
    """
    Return the key of each utterance that is no speaker: its script or, where no speakers count, its text; null for none.

    Args:
        script: Of `resolve_scripts`.
        standard: The texts in standard Korean, in NFC.
        group: Region and speech type of all utterances.
        by: The kinds of keys that count.
    """
    counted = set(by)
    if SplitKey.SCRIPT in counted and group.speech_type is SpeechType.REPEAT:
        return f"script:{group.region}:" + script
    if counted == {SplitKey.SCRIPT}:
        return _stand_ins(standard)
    return pl.repeat(None, script.len(), dtype=pl.String, eager=True)


def resolve_scripts(script: pl.Series, standard: pl.Series, speech_type: SpeechType) -> pl.Series:
    """
    Return the script of each utterance; null where it is none that many read.

    Args:
        script: Set and prompt, null where unknown.
        standard: Its text in standard Korean, in NFC; the letters and digits in it stand for a script that is unknown.
        speech_type: That of all utterances.
    """
    if speech_type is not SpeechType.REPEAT:
        return pl.repeat(None, script.len(), dtype=pl.String, eager=True)
    places = script.is_null().arg_true()
    if places.is_empty():
        return script
    return script.scatter(places, _stand_ins(standard[places]))


def _stand_ins(texts: pl.Series) -> pl.Series:
    """Return what stands for *texts* (in NFC) as keys, by their letters and digits: hashes, since keys hold no texts."""
    spelled = letters(texts).set(~texts.str.contains(LETTER), None)  # one without a letter stands for nothing
    hashes = (None if text is None else blake2b(text.encode(), digest_size=16).hexdigest() for text in spelled)
    return "text:" + pl.Series(hashes, dtype=pl.String)


def splits(frame: pl.DataFrame, rule: SplitRule) -> pl.Series:
    """
    Return the split of each row of *frame*; null where it has none.

    Args:
        frame: Columns `speakers` and `script_key` (of `script_keys`).
        rule: Which keys count.
    """
    if SplitKey.SPEAKER not in rule.by:
        held_out = places_of(frame["script_key"]) < int(rule.held_out * PLACES)
        return held_out.fill_null(value=False).replace_strict([False, True], list(Split), return_dtype=SPLIT)
    # Few different ones: a thousandth of the time of looking at every row.
    scripts = _sides(frame["script_key"], lambda key: [key], rule)
    speakers = _sides(frame["speakers"], speaker_keys, rule)
    both = (speakers > 0) & (scripts > 0)
    sides = (speakers | scripts).zip_with(~both, (speakers | scripts) & (_TRAIN | _VALIDATION))
    return sides.replace_strict(list(_SPLITS), list(_SPLITS.values()), return_dtype=SPLIT)


_SPLITS = {
    0: Split.TRAIN,
    _TRAIN: Split.TRAIN,
    _VALIDATION: Split.VALIDATION,
    _TRAIN | _VALIDATION: None,
    _ALONE: None,
}
"""The split of a row by the sides that its keys fall on."""


def _sides(column: pl.Series, keys: Callable[[str], Iterable[str]], rule: SplitRule) -> pl.Series:
    """Return the sides that the *keys* of each text of *column* fall on; 0 where it is null."""
    distinct = column.drop_nulls().unique().to_list()
    sides = [rule.sides_of(keys(text)) for text in distinct]
    return column.replace_strict(distinct, sides, default=0, return_dtype=pl.UInt8)
