"""Options of a build: frozen, checked when made, and written into the manifest, since they decide its bytes."""

import re
from enum import StrEnum
from types import NoneType
from typing import Any, Literal, TypeVar

from msgspec import Struct, ValidationError, convert, structs, to_builtins

from etl.errors import OptionError
from schemas.cleaning import CleanRules, Pii
from schemas.terms import Region, Source, SpeechType, Unit

SYSTEM_PROMPT = "다음은 한국어를 소리 나는 대로 적은 것입니다. 만약 이것이 방언이라면 표준어로 바꾸세요."
"""The instruction of the original recipe: "This is Korean written as it sounds. If it is dialect, put it into standard Korean."."""

MIB = 1024 * 1024
_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s*(k|m|g)?(i)?b?", re.IGNORECASE)
_EXPONENT = {"": 0, "k": 1, "m": 2, "g": 3}

Term = TypeVar("Term", bound=StrEnum)


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


class BuildOptions(Struct, frozen=True, kw_only=True):
    """
    What decides the bytes of a build; everything else (workers, folders) does not.

    Args:
        unit: One utterance is a whole label file, or one sentence of it.
        source: The transcription used as input; the standard one is the target.
        region: Regions to keep, in any order.
        speech_type: Speech types to keep, in any order.
        system_prompt: Instruction before every pair; empty for none.
        clean: Mend or drop what transcribers left in the texts; without, every text stays as it is.
        clean_rules: What each cleaning rule does.
        pii: What becomes of utterances with personal data, masked or in the open.
        dedup: Drop a pair that its shard already holds.
        validation: Share of speakers and scripts held out (0 to below 1), or "official" for AI-Hub's own folders.
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
    region: tuple[Region, ...] = tuple(Region)
    speech_type: tuple[SpeechType, ...] = (SpeechType.REPEAT, SpeechType.ANSWER)
    system_prompt: str = SYSTEM_PROMPT
    clean: bool = True
    clean_rules: CleanRules = CleanRules()
    pii: Pii = Pii.DROP
    dedup: bool = True
    validation: float | Literal["official"] = 0.05
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
            value = getattr(self, name)
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                expected = " or ".join(kind.__name__ for kind in kinds)
                raise OptionError(flag(name), f"{value!r} is no {expected}", f"give one, like {_DEFAULT_OF[name]!r}")
        if any("\ud800" <= letter <= "\udfff" for letter in self.system_prompt):
            raise OptionError("--system-prompt", "it is no valid Unicode", "check the terminal's encoding (UTF-8)")
        force = structs.force_setattr
        force(self, "unit", _term("unit", self.unit, Unit))
        force(self, "source", _term("source", self.source, Source))
        force(self, "clean_rules", _clean_rules(self.clean_rules))
        force(self, "pii", _term("pii", self.pii, Pii))
        force(self, "region", _in_order("region", self.region, Region))
        force(self, "speech_type", _in_order("speech_type", self.speech_type, SpeechType))
        if self.validation != "official":
            if isinstance(self.validation, str):
                raise OptionError(
                    "--validation", f"{self.validation!r} is unknown", "give a share like 0.05, or official"
                )
            _between("validation", self.validation, 0, 1, below=True)
            force(self, "validation", float(self.validation))
        for name in ("max_chunk_bytes", "max_member_bytes", "max_entries"):
            _at_least_one(name, getattr(self, name))
        if self.max_chunk_examples is not None:
            _at_least_one("max_chunk_examples", self.max_chunk_examples)
        _between("max_ratio", self.max_ratio, 1, 1e9)
        force(self, "max_ratio", float(self.max_ratio))
        for name in ("max_unknown", "max_rejects"):
            _between(name, getattr(self, name), 0, 1)
            force(self, name, float(getattr(self, name)))

    def as_json(self) -> dict[str, Any]:
        """Return every option by name, as JSON values."""
        builtins: dict[str, Any] = to_builtins(self)
        return builtins


_KINDS: dict[str, tuple[type, ...]] = {
    "system_prompt": (str,),
    "clean": (bool,),
    "dedup": (bool,),
    "validation": (float, int, str),
    "max_chunk_bytes": (int,),
    "max_chunk_examples": (int, NoneType),
    "max_member_bytes": (int,),
    "max_ratio": (float, int),
    "max_entries": (int,),
    "max_unknown": (float, int),
    "max_rejects": (float, int),
    "allow_bad_archives": (bool,),
}
_DEFAULT_OF = {field.name: field.default for field in structs.fields(BuildOptions)}


def flag(name: str) -> str:
    """Return the command-line spelling of the option *name*."""
    return "--" + name.replace("_", "-")


def _clean_rules(given: CleanRules | dict[str, str]) -> CleanRules:
    """Return the rules *given*, in their own struct or by name."""
    try:
        return convert(given, CleanRules, from_attributes=True)
    except ValidationError as error:
        names = ", ".join(field.name for field in structs.fields(CleanRules))
        raise OptionError("[clean]", str(error), f"give rewrite, drop or keep for any of {names}") from error


def _in_order(name: str, values: tuple[Term, ...], terms: type[Term]) -> tuple[Term, ...]:
    """Return *values* in the order of *terms*, so that the order given does not matter."""
    if isinstance(values, str):
        values = (_term(name, values, terms),)
    if not values:
        raise OptionError(flag(name), "none given", f"choose from {', '.join(terms)}")
    wanted = {_term(name, value, terms) for value in values}
    return tuple(term for term in terms if term in wanted)


def _term(name: str, value: str, terms: type[Term]) -> Term:
    try:
        return terms(value)
    except ValueError:
        raise OptionError(flag(name), f"{value!r} is unknown", f"choose from {', '.join(terms)}") from None


def _between(name: str, value: float, low: float, high: float, *, below: bool = False) -> None:
    if not (low <= value < high or (value == high and not below)):
        upper = f"below {high:g}" if below else f"{high:g}"
        raise OptionError(flag(name), f"{value} is out of range", f"give a number from {low:g} to {upper}")


def _at_least_one(name: str, value: int) -> None:
    if value < 1:
        raise OptionError(flag(name), f"{value} is out of range", "give a whole number from 1 up")
