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
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from math import sqrt
from typing import NamedTuple

import polars as pl

from saturi.etl.corpus.groups import Group
from saturi.etl.corpus.names import WITHIN
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


def places_of(keys: Iterable[str | None]) -> list[int | None]:
    """Return the place of each of *keys*; None without one."""
    keys = list(keys)
    places = {key: None if key is None else place_of(key) for key in set(keys)}
    return [places[key] for key in keys]


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


def script_keys(
    scripts: Sequence[str | None], spelled: pl.Series, group: Group, by: Iterable[SplitKey]
) -> list[str | None]:
    """
    Return the key of each utterance that is no speaker: its script or, where no speakers count, its text; None for none.

    Args:
        scripts: Of `resolve_scripts`.
        spelled: The letters of the texts in standard Korean.
        group: Region and speech type of all utterances.
        by: The kinds of keys that count.
    """
    counted = set(by)
    if SplitKey.SCRIPT in counted and group.speech_type is SpeechType.REPEAT:
        return [None if script is None else script_key(script, group.region) for script in scripts]
    if counted == {SplitKey.SCRIPT}:
        return [_stand_in(text) for text in spelled.to_list()]
    return [None] * len(scripts)


def resolve_scripts(scripts: Sequence[str | None], spelled: pl.Series, speech_type: SpeechType) -> Sequence[str | None]:
    """
    Return the script of each utterance; None where it is none that many read.

    Args:
        scripts: Set and prompt, None where unknown.
        spelled: The letters of its text in standard Korean, which stand for a script that is unknown.
        speech_type: That of all utterances.
    """
    if speech_type is not SpeechType.REPEAT:
        return [None] * len(scripts)
    if None not in scripts:
        return scripts
    return [
        _stand_in(text) if script is None else script for script, text in zip(scripts, spelled.to_list(), strict=True)
    ]


def _stand_in(spelled: str) -> str | None:
    """Return what stands for a text as a key, by its letters: a hash, since keys hold no texts; None where it has none."""
    return f"text:{blake2b(spelled.encode(), digest_size=16).hexdigest()}" if spelled else None


def splits(speakers: Iterable[str | None], keys: Iterable[str | None], rule: SplitRule) -> list[Split | None]:
    """
    Return the split of each utterance; None where it has none.

    Args:
        speakers: Ids, one a line.
        keys: Of `script_keys`.
        rule: Which keys count.
    """
    if SplitKey.SPEAKER not in rule.by:
        bound = int(rule.held_out * PLACES)
        return [Split.TRAIN if place is None or place >= bound else Split.VALIDATION for place in places_of(keys)]
    of_speakers = _sides(speakers, speaker_keys, rule)
    of_scripts = _sides(keys, lambda key: [key], rule)
    # With a key of either kind, one that is alone in its kind is not alone.
    both = _TRAIN | _VALIDATION
    return [
        _SPLITS[(one | other) & both if one and other else one | other]
        for one, other in zip(of_speakers, of_scripts, strict=True)
    ]


_SPLITS = {
    0: Split.TRAIN,
    _TRAIN: Split.TRAIN,
    _VALIDATION: Split.VALIDATION,
    _TRAIN | _VALIDATION: None,
    _ALONE: None,
}
"""The split of a row by the sides that its keys fall on."""


def _sides(texts: Iterable[str | None], keys: Callable[[str], Iterable[str]], rule: SplitRule) -> list[int]:
    """Return the sides that the *keys* of each of *texts* fall on; 0 without one. Many texts come back."""
    texts = list(texts)
    sides = {text: 0 if text is None else rule.sides_of(keys(text)) for text in set(texts)}
    return [sides[text] for text in texts]
