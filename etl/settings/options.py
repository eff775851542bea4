"""Options of a build: frozen, checked when made, and written into the manifest, since they decide its bytes."""

import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import ValidationError, convert, structs, to_builtins

from saturi.etl.errors import OptionError
from saturi.etl.settings.checks import check_options, check_ordered, one_of
from saturi.etl.settings.declaration import Option
from saturi.etl.settings.fields import Options
from saturi.etl.settings.sizes import MIB
from saturi.etl.storage.location import Location
from saturi.schemas.cleaning import CleanRules, Pii
from saturi.schemas.terms import (
    Conflicts,
    Dedup,
    Dimension,
    Direction,
    Region,
    Source,
    SpeechType,
    SplitKey,
    Unit,
)

SYSTEM_PROMPT = "다음은 한국어를 소리 나는 대로 적은 것입니다. 만약 이것이 방언이라면 표준어로 바꾸세요."
"""The instruction of the original recipe: "This is Korean written as it sounds. If it is dialect, put it into standard Korean."."""

TO_DIALECT_PROMPT = "다음은 표준어 문장입니다. {region} 사투리로, 소리 나는 대로 바꿔 적으세요."
"""The instruction of the other direction: "This is standard Korean. Put it into the dialect of {region}, as it sounds."."""

PLACEHOLDERS = ("region", "speech_type")
"""Names in braces that an instruction may hold."""

MOST_WORKERS = 61 if os.name == "nt" else 1_024
"""Windows waits for at most 63 handles at once, and `ProcessPoolExecutor` takes two for itself; a worker has some 100 MB."""


class Balance(NamedTuple):
    """Dimension to balance, and the most examples of each value in a split; None for as many as the smallest has."""

    dimension: Dimension
    most: int | None

    def __str__(self) -> str:
        return self.dimension.value if self.most is None else f"{self.dimension}:{self.most}"


def parse_balance(text: str) -> Balance:
    """
    Return the balance written as `region`, `speech_type` or `region:20000`.

    Raises:
        OptionError: Neither.
    """
    name, colon, number = text.partition(":")
    if colon and re.fullmatch(r"0*[1-9][0-9]{0,14}", number) is None:
        advice = "give a whole number from 1 up, as in region:20000"
        raise OptionError("--balance", f"{number!r} is no number of examples", advice)
    return Balance(one_of("balance", name, Dimension), int(number) if colon else None)


class ExecutorName(StrEnum):
    """Name of an executor."""

    PROCESS = "process"
    DASK = "dask"


_ADDRESS = re.compile(r"(?:(?:tcp|tls|wss?)://)?(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}", re.ASCII)
"""Of a scheduler of Dask; without a protocol it is TCP."""


class RunOptions(Options, frozen=True, kw_only=True):
    """
    Options of the run of a build, which do not decide its bytes.

    Raises:
        OptionError: A value is out of its range.
    """

    out: Annotated[Location, Option(help="Folder for the result, or its URL.", short="o")] = Path("out")
    workers: Annotated[
        int | None,
        Option(help="Number of processes.", short="w", unset="one a processor", low=1, high=MOST_WORKERS),
    ] = None
    stage: Annotated[Location | None, Option(help="Folder for decoded segments, or its URL.", unset="OUT/stage")] = None
    executor: Annotated[ExecutorName, Option(help="Where tasks run: processes of this machine, or Dask.")] = (
        ExecutorName.PROCESS
    )
    scheduler: Annotated[
        str | None,
        Option(
            help="Address of a Dask cluster's scheduler.",
            unset="a cluster of its own",
            metavar="tcp://HOST:PORT",
        ),
    ] = None

    def __post_init__(self) -> None:
        check_options(self)
        if self.scheduler is None:
            return
        if _ADDRESS.fullmatch(self.scheduler) is None:
            raise OptionError("--scheduler", f"{self.scheduler!r} is no address", "give one as tcp://host:8786")
        if self.executor != ExecutorName.DASK:
            raise OptionError("--scheduler", "processes of this machine have none", "give --executor dask, too")
        if self.workers is not None:
            raise OptionError("--workers", "a scheduler has its own workers", "give no number with --scheduler")


class BuildOptions(Options, frozen=True, kw_only=True):
    """
    Options that decide the bytes of a build; all others are `RunOptions`.

    Every field is an option of `build` and a key of `[build]` in `etl.toml`, and its `Option` says what it means;
    `clean_rules` alone is the table `[clean]`. Regions, speech types and what shards are apart by may be given in any
    order, and terms as plain strings. Without an instruction of its own, the direction to dialect has `TO_DIALECT_PROMPT`.

    Raises:
        OptionError: A value is out of its range.
    """

    unit: Annotated[Unit, Option(help="What one example is.")] = Unit.FILE
    source: Annotated[Source, Option(help="Which transcription is the dialect.")] = Source.PRONUNCIATION
    direction: Annotated[Direction, Option(help="What a model learns to write.")] = Direction.TO_STANDARD
    region: Annotated[tuple[Region, ...], Option(help="Region to keep; may be repeated.")] = tuple(Region)
    speech_type: Annotated[tuple[SpeechType, ...], Option(help="Speech type to keep; may be repeated.")] = (
        SpeechType.REPEAT,
        SpeechType.ANSWER,
    )
    system_prompt: Annotated[
        str,
        Option(
            help="Instruction before every pair, {region} and {speech_type} filled in; empty for none.",
            placeholders=PLACEHOLDERS,
        ),
    ] = SYSTEM_PROMPT
    paraphrase: Annotated[
        tuple[str, ...],
        Option(
            help="Another instruction; may be repeated, each pair gets one by its hash.",
            placeholders=PLACEHOLDERS,
        ),
    ] = ()
    clean: Annotated[
        bool,
        Option(help="Mend or drop what transcribers left in the texts; [clean] in etl.toml."),
    ] = True
    clean_rules: CleanRules = CleanRules()
    pii: Annotated[Pii, Option(help="What becomes of personal data.")] = Pii.DROP
    identical: Annotated[
        float | Literal["keep", "drop"],
        Option(help="Pairs of equal texts: keep, drop, or the share to keep.", low=0, high=1),
    ] = "keep"
    min_words: Annotated[int | None, Option(help="Fewest words of either text.", unset="none", low=1)] = None
    max_words: Annotated[int | None, Option(help="Most words of either text.", unset="none", low=1)] = None
    min_chars: Annotated[int | None, Option(help="Fewest characters of either text.", unset="none", low=1)] = None
    max_chars: Annotated[int | None, Option(help="Most characters of either text.", unset="none", low=1)] = None
    max_length_ratio: Annotated[
        float | None,
        Option(help="Most characters of one text for one of the other.", unset="none", low=1, high=1e9),
    ] = None
    dedup: Annotated[Dedup, Option(help="What a shard holds only once.")] = Dedup.PAIR
    conflicts: Annotated[Conflicts, Option(help="Sources with several targets.")] = Conflicts.KEEP
    max_per_script: Annotated[int | None, Option(help="Most examples of a script in a shard.", unset="none", low=1)] = (
        None
    )
    speaker_max: Annotated[int | None, Option(help="Most examples of a speaker in a shard.", unset="none", low=1)] = (
        None
    )
    balance: Annotated[
        str | None,
        Option(
            help="Cut down to the smallest region or speech type, or to a number.",
            unset="none",
            metavar="region|speech_type[:N]",
        ),
    ] = None
    sample: Annotated[
        int | None,
        Option(help="Number of examples to choose, from every stratum its share.", unset="all", low=1),
    ] = None
    sample_per_shard: Annotated[
        int | None, Option(help="Number of examples to choose of each shard.", unset="all", low=1)
    ] = None
    shard_by: Annotated[
        tuple[Dimension, ...],
        Option(help="What shards are apart by beside the split; 'split' for nothing.", commas=True, nothing="split"),
    ] = tuple(Dimension)
    validation: Annotated[
        float | Literal["official"],
        Option(
            help="Share of examples held out, 0 for none, or AI-Hub's own folders.",
            low=0,
            high=1,
            below=True,
        ),
    ] = 0.05
    split_by: Annotated[
        tuple[SplitKey, ...],
        Option(help="What is never in both splits: scripts and texts, speakers, or both.", commas=True),
    ] = (SplitKey.SCRIPT,)
    min_validation: Annotated[
        int,
        Option(help="Fewest examples held out of each region and speech type, where it has twice as many.", low=0),
    ] = 0
    tokens: Annotated[bool, Option(help="Count the tokens of every example.")] = True
    max_chunk_bytes: Annotated[int, Option(help="Cap on one chunk: 500KB, 100MB, 64MiB.", size=True, low=1)] = (
        100_000_000
    )
    max_chunk_examples: Annotated[int | None, Option(help="Cap on the examples of one chunk.", unset="none", low=1)] = (
        None
    )
    max_member_bytes: Annotated[int, Option(help="Cap on one label file, inflated.", size=True, low=1)] = 2 * MIB
    max_ratio: Annotated[
        float,
        Option(help="Cap on inflated over deflated bytes, above 1 MiB.", low=1, high=1e9),
    ] = 200.0
    max_entries: Annotated[int, Option(help="Cap on the entries of one archive.", low=1)] = 5_000_000
    max_unknown: Annotated[
        float,
        Option(
            help="Share of label files without region or speech type above which the exit code is 1.", low=0, high=1
        ),
    ] = 0.01
    max_rejects: Annotated[
        float,
        Option(help="Share of rejected label files above which the exit code is 1.", low=0, high=1),
    ] = 0.05
    allow_bad_archives: Annotated[
        bool, Option(help="Go on past archives that cannot be opened or hold no label file.")
    ] = False

    def __post_init__(self) -> None:
        check_options(self)
        check_ordered("min_words", self.min_words, self.max_words)
        check_ordered("min_chars", self.min_chars, self.max_chars)
        if self.balance is not None:
            structs.force_setattr(self, "balance", str(parse_balance(self.balance)))
        self._check_least()
        structs.force_setattr(self, "clean_rules", _clean_rules(self.clean_rules))
        if self.direction == Direction.TO_DIALECT and self.system_prompt == SYSTEM_PROMPT:
            structs.force_setattr(self, "system_prompt", TO_DIALECT_PROMPT)
        if self.identical in (0, 1):
            structs.force_setattr(self, "identical", "keep" if self.identical else "drop")

    def _check_least(self) -> None:
        """Refuse a least number of validation rows where the split does not depend on the keys of one group alone."""
        if self.min_validation and (self.validation in ("official", 0) or self.split_by != (SplitKey.SCRIPT,)):
            problem = "the least number is reached by holding out more scripts and texts, and here these do not decide"
            raise OptionError("--min-validation", problem, "give --split-by script and a share as --validation")

    @property
    def prompts(self) -> tuple[str, ...]:
        """All instructions, of which each pair gets one."""
        return (self.system_prompt, *self.paraphrase)

    @property
    def texts_apart(self) -> bool:
        """Whether validation has no text that train has: not where the split is AI-Hub's own, or by speakers alone."""
        return self.validation not in ("official", 0) and SplitKey.SCRIPT in self.split_by

    @property
    def chooses(self) -> bool:
        """Whether anything is chosen by hash."""
        rules = (self.max_per_script, self.speaker_max, self.balance, self.sample, self.sample_per_shard)
        return bool(self.paraphrase) or self.identical not in ("keep", "drop") or any(rules)

    def as_json(self) -> dict[str, Any]:
        """Return every option by name, as JSON values."""
        builtins: dict[str, Any] = to_builtins(self)
        return builtins


def _clean_rules(given: CleanRules | dict[str, str]) -> CleanRules:
    """Return the rules *given*, in their own struct or by name."""
    try:
        return convert(given, CleanRules, from_attributes=True)
    except ValidationError as error:
        names = ", ".join(field.name for field in structs.fields(CleanRules))
        raise OptionError("[clean]", str(error), f"give rewrite, drop or keep for any of {names}") from error
