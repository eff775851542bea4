"""Options of a build: frozen, checked when made, and written into the manifest, since they decide its bytes."""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from types import NoneType
from typing import Any, Literal, NamedTuple

from msgspec import Struct, ValidationError, convert, structs, to_builtins

from etl.errors import OptionError
from etl.settings.values import (
    check_at_least_one,
    check_between,
    check_kind,
    check_ordered,
    check_unicode,
    in_order,
    one_of,
    share_or_word,
    texts,
)
from schemas.cleaning import CleanRules, Pii
from schemas.terms import (
    Conflicts,
    Dedup,
    Dimension,
    Direction,
    Region,
    Source,
    SpeechType,
    Unit,
)

SYSTEM_PROMPT = "다음은 한국어를 소리 나는 대로 적은 것입니다. 만약 이것이 방언이라면 표준어로 바꾸세요."
"""The instruction of the original recipe: "This is Korean written as it sounds. If it is dialect, put it into standard Korean."."""

TO_DIALECT_PROMPT = "다음은 표준어 문장입니다. {region} 사투리로, 소리 나는 대로 바꿔 적으세요."
"""The instruction of the other direction: "This is standard Korean. Put it into the dialect of {region}, as it sounds."."""

MIB = 1024 * 1024
_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s*(k|m|g)?(i)?b?", re.IGNORECASE)
_EXPONENT = {"": 0, "k": 1, "m": 2, "g": 3}


class Balance(NamedTuple):
    """What to balance, and the most examples of each in a split; None for as many as the smallest has."""

    dimension: Dimension
    most: int | None


def parse_bytes(text: str) -> int:
    """
    Return the number of bytes that *text* names: `500KB`, `100MB`, `64MiB`, `1.5 GB`, `4096`.

    Raises:
        ValueError: It names none.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None or (match[3] and not match[2]):
        message = f"{text!r} is no size: write 500KB, 100MB or 64MiB"
        raise ValueError(message)
    unit: int = (1024 if match[3] else 1000) ** _EXPONENT[(match[2] or "").lower()]
    return round(float(match[1]) * unit)


def parse_balance(text: str) -> Balance:
    """
    Return what `region`, `speech_type` or `region:20000` names.

    Raises:
        OptionError: Neither.
    """
    name, colon, number = text.partition(":")
    if colon and not (number.isascii() and number.isdecimal() and int(number) > 0):
        advice = "give a whole number from 1 up, as in region:20000"
        raise OptionError("--balance", f"{number!r} is no number of examples", advice)
    return Balance(one_of("balance", name, Dimension), int(number) if colon else None)


def _apart(names: str | Iterable[str]) -> list[str]:
    """Return the dimensions in *names*, a text with commas or several; shards are apart by their split in any case."""
    listed = names.split(",") if isinstance(names, str) else list(names)
    return [name for name in map(str.strip, listed) if name != "split"]


class BuildOptions(Struct, frozen=True, kw_only=True):
    """
    What decides the bytes of a build; everything else (workers, folders) does not.

    Args:
        unit: One utterance is a whole label file, or one sentence of it.
        source: The transcription of the dialect; its counterpart is the standard one.
        direction: Which of the two is the input: the dialect, or standard Korean.
        region: Regions to keep, in any order.
        speech_type: Speech types to keep, in any order.
        system_prompt: Instruction before every pair, `{region}` and `{speech_type}` filled in; empty for none. The
            original one gives way to `TO_DIALECT_PROMPT` where the direction is the other.
        paraphrase: More instructions; each pair gets one of all, by its hash.
        clean: Mend or drop what transcribers left in the texts; without, every text stays as it is.
        clean_rules: What each cleaning rule does.
        pii: What becomes of utterances with personal data, masked or in the open.
        identical: What becomes of pairs of which both texts are the same: "keep", "drop", or the share to keep, by hash.
        min_words, max_words: Fewest and most words either text of a pair may have, or None.
        min_chars, max_chars: Likewise, characters.
        max_length_ratio: Most characters of the longer text for one of the shorter, or None.
        dedup: What a shard holds only once.
        conflicts: What becomes of pairs of a shard whose source has other targets, too.
        max_per_script: Most examples of one script in a shard, chosen by hash, or None.
        speaker_max: Most examples of one speaker in a shard, chosen by hash, or None.
        balance: "region" or "speech_type" to cut each down to the smallest of its split, "region:N" to N; or None.
        sample: Number of examples to choose by hash, of each region, speech type and split its share, or None.
        sample_per_shard: Likewise, of each shard.
        shard_by: What shards are apart by beside the split, in any order.
        validation: Share of speakers and scripts held out (0 to below 1), or "official" for AI-Hub's own folders.
        tokens: Count the tokens of every example, as o200k_base has them.
        max_chunk_bytes: Cap on one chunk.
        max_chunk_examples: Cap on the examples of one chunk, or None.
        max_member_bytes: Cap on one label file, as declared and as inflated.
        max_ratio: Cap on inflated over deflated bytes of a label file above 1 MiB.
        max_entries: Cap on the entries of one archive.
        max_unknown: Share of label files without region or speech type above which a build is not successful.
        max_rejects: Share of rejected label files above which a build is not successful.
        allow_bad_archives: Go on past archives that cannot be opened or hold no label file.

    Raises:
        OptionError: A value is out of its range.
    """

    unit: Unit = Unit.FILE
    source: Source = Source.PRONUNCIATION
    direction: Direction = Direction.TO_STANDARD
    region: tuple[Region, ...] = tuple(Region)
    speech_type: tuple[SpeechType, ...] = (SpeechType.REPEAT, SpeechType.ANSWER)
    system_prompt: str = SYSTEM_PROMPT
    paraphrase: tuple[str, ...] = ()
    clean: bool = True
    clean_rules: CleanRules = CleanRules()
    pii: Pii = Pii.DROP
    identical: float | Literal["keep", "drop"] = "keep"
    min_words: int | None = None
    max_words: int | None = None
    min_chars: int | None = None
    max_chars: int | None = None
    max_length_ratio: float | None = None
    dedup: Dedup = Dedup.PAIR
    conflicts: Conflicts = Conflicts.KEEP
    max_per_script: int | None = None
    speaker_max: int | None = None
    balance: str | None = None
    sample: int | None = None
    sample_per_shard: int | None = None
    shard_by: tuple[Dimension, ...] = tuple(Dimension)
    validation: float | Literal["official"] = 0.05
    tokens: bool = True
    max_chunk_bytes: int = 100_000_000
    max_chunk_examples: int | None = None
    max_member_bytes: int = 64 * MIB
    max_ratio: float = 200.0
    max_entries: int = 5_000_000
    max_unknown: float = 0.01
    max_rejects: float = 0.05
    allow_bad_archives: bool = False

    def __post_init__(self) -> None:
        for name, kinds in _KINDS.items():
            check_kind(name, getattr(self, name), kinds)
        check_unicode("system_prompt", self.system_prompt)
        for name in _COUNTS:
            if getattr(self, name) is not None:
                check_at_least_one(name, getattr(self, name))
        for name, (low, high) in _RANGES.items():
            if getattr(self, name) is not None:
                check_between(name, getattr(self, name), low, high)
        check_ordered("min_words", self.min_words, self.max_words)
        check_ordered("min_chars", self.min_chars, self.max_chars)
        if self.balance is not None:
            parse_balance(self.balance)
        for name, value in self._in_one_form():
            structs.force_setattr(self, name, value)

    def _in_one_form(self) -> Iterator[tuple[str, object]]:
        """Yield the fields that can be given in more than one form, so that equal options are equal values."""
        for name, terms in _TERMS.items():
            yield name, one_of(name, getattr(self, name), terms)
        for name, terms in _TERM_LISTS.items():
            yield name, in_order(name, getattr(self, name), terms)
        yield "shard_by", in_order("shard_by", _apart(self.shard_by), Dimension, empty=True)
        yield "clean_rules", _clean_rules(self.clean_rules)
        yield "paraphrase", texts("paraphrase", self.paraphrase)
        if self.direction == Direction.TO_DIALECT and self.system_prompt == SYSTEM_PROMPT:
            yield "system_prompt", TO_DIALECT_PROMPT
        yield "validation", share_or_word("validation", self.validation, ("official",), below=True)
        identical = share_or_word("identical", self.identical, ("keep", "drop"))
        yield "identical", "drop" if identical == 0 else "keep" if identical == 1 else identical
        for name in _RANGES:
            if getattr(self, name) is not None:
                yield name, float(getattr(self, name))

    @property
    def prompts(self) -> tuple[str, ...]:
        """All instructions, of which each pair gets one."""
        return (self.system_prompt, *self.paraphrase)

    @property
    def chooses(self) -> bool:
        """Whether anything is chosen by hash."""
        rules = (self.max_per_script, self.speaker_max, self.balance, self.sample, self.sample_per_shard)
        return bool(self.paraphrase) or self.identical not in ("keep", "drop") or any(rules)

    def as_json(self) -> dict[str, Any]:
        """Return every option by name, as JSON values."""
        builtins: dict[str, Any] = to_builtins(self)
        return builtins


_KINDS: dict[str, tuple[type, ...]] = {
    "system_prompt": (str,),
    "clean": (bool,),
    "identical": (float, int, str),
    "min_words": (int, NoneType),
    "max_words": (int, NoneType),
    "min_chars": (int, NoneType),
    "max_chars": (int, NoneType),
    "max_length_ratio": (float, int, NoneType),
    "max_per_script": (int, NoneType),
    "speaker_max": (int, NoneType),
    "balance": (str, NoneType),
    "sample": (int, NoneType),
    "sample_per_shard": (int, NoneType),
    "validation": (float, int, str),
    "tokens": (bool,),
    "max_chunk_bytes": (int,),
    "max_chunk_examples": (int, NoneType),
    "max_member_bytes": (int,),
    "max_ratio": (float, int),
    "max_entries": (int,),
    "max_unknown": (float, int),
    "max_rejects": (float, int),
    "allow_bad_archives": (bool,),
}
_TERMS: dict[str, type[StrEnum]] = {
    "unit": Unit,
    "source": Source,
    "direction": Direction,
    "pii": Pii,
    "dedup": Dedup,
    "conflicts": Conflicts,
}
_TERM_LISTS: dict[str, type[StrEnum]] = {"region": Region, "speech_type": SpeechType}
_COUNTS = tuple(name for name, kinds in _KINDS.items() if int in kinds and float not in kinds)
_RANGES = {"max_ratio": (1, 1e9), "max_length_ratio": (1, 1e9), "max_unknown": (0, 1), "max_rejects": (0, 1)}


def _clean_rules(given: CleanRules | dict[str, str]) -> CleanRules:
    """Return the rules *given*, in their own struct or by name."""
    try:
        return convert(given, CleanRules, from_attributes=True)
    except ValidationError as error:
        names = ", ".join(field.name for field in structs.fields(CleanRules))
        raise OptionError("[clean]", str(error), f"give rewrite, drop or keep for any of {names}") from error
