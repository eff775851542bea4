"""Options of an evaluation: frozen, and checked when made."""

import math
import re
from pathlib import Path
from typing import Annotated

from msgspec import structs

from saturi.etl.errors import OptionError
from saturi.etl.settings.checks import check_options
from saturi.etl.settings.declaration import Option
from saturi.etl.settings.fields import Options
from saturi.schemas.terms import Split

COPY = "copy"
"""The system that answers with its input."""

_MOST_CONCURRENCY = 512
_MOST_SEED = 2**31 - 1
_MOST_NAME = 80
"""Characters of a folder's name, of three bytes each in Hangul; systems of files allow 255 bytes."""

_NAME = re.compile(rf"[\w][\w.-]{{0,{_MOST_NAME - 1}}}")
_NO_NAME = re.compile(r"[^\w.-]")


class EvaluateOptions(Options, frozen=True, kw_only=True):
    """
    What is evaluated, on which rows, asked where, and what is agreed to.

    Every field is an option of `evaluate`, and its `Option` says what it means and whether `[evaluate]` in `etl.toml` has it.

    Raises:
        OptionError: A value is out of its range, or two cannot be together.
    """

    model: Annotated[
        tuple[str, ...],
        Option(
            help="A model to ask; may be repeated.",
            unset="base models and tunes of the ledger",
            named=True,
            metavar="NAME",
        ),
    ] = ()
    base_model: Annotated[
        str | None,
        Option(
            help="The model that the others are held against; it is asked, too.",
            unset="that of the ledger, or the one that a tune's name names",
            named=True,
            metavar="NAME",
        ),
    ] = None
    predictions: Annotated[
        tuple[str, ...],
        Option(
            help="What a model made that ran elsewhere, a line a row of rows.jsonl; may be repeated.",
            metavar="NAME=FILE",
            only="command line",
        ),
    ] = ()
    file: Annotated[
        Path | None,
        Option(help="A chat JSONL as the test set, in the place of a split.", only="command line"),
    ] = None
    split: Annotated[Split, Option(help="The split of the build that is the test set.")] = Split.VALIDATION
    sample: Annotated[
        int | None,
        Option(help="Rows, a like share of each region and speech type, chosen by hash.", unset="all", low=1),
    ] = None
    name: Annotated[
        str | None,
        Option(
            help="Folder below OUT/evaluation for what comes out.",
            unset="the split, or file- and the file's name",
            only="command line",
        ),
    ] = None
    provider: Annotated[str | None, Option(help="Profile of the provider.", unset="that of the ledger, or openai")] = (
        None
    )
    base_url: Annotated[
        str | None, Option(help="Address instead of the profile's: a gateway, a server of your own.")
    ] = None
    concurrency: Annotated[int, Option(help="Requests in flight at most.", low=1, high=_MOST_CONCURRENCY)] = 16
    seed: Annotated[int, Option(help="Sent with each request, beside temperature 0.", low=0, high=_MOST_SEED)] = 0
    leave_out_unanswered: Annotated[
        bool,
        Option(
            help="Score without the rows that got no answer, for all systems; else that is an error.",
            negatable=False,
            only="command line",
        ),
    ] = False
    fail_below: Annotated[
        tuple[str, ...],
        Option(
            help="End with 1 if a system that is not copy or the base has less; may be repeated.",
            metavar="METRIC=SCORE",
        ),
    ] = ()
    max_cost: Annotated[
        float | None,
        Option(help="Most US dollars for all answers, earlier ones too.", low=0, high=1e9, unit="US dollars"),
    ] = None
    accept_data_terms: Annotated[bool, Option(help="Agree to the terms of AI-Hub's data.", negatable=False)] = False
    allow_unknown_price: Annotated[
        bool,
        Option(help="Ask although nobody can say what it costs.", negatable=False, only="command line"),
    ] = False
    providers: Annotated[Path | None, Option(help="Your own providers.toml.")] = None
    models: Annotated[Path | None, Option(help="Your own models.toml.")] = None
    ledger: Annotated[
        Path | None,
        Option(
            help="File of the ledger.",
            unset="that of [submit], else as in submit",
            only="command line",
        ),
    ] = None
    key_file: Annotated[
        Path | None,
        Option(help="File with the key, readable by its owner alone.", unset="that of [submit]", only="file"),
    ] = None

    def __post_init__(self) -> None:
        check_options(self)
        if self.base_model is not None and self.base_model not in self.model:
            structs.force_setattr(self, "model", (self.base_model, *self.model))
        structs.force_setattr(self, "model", tuple(dict.fromkeys(self.model)))
        names = [*self.model, *self.prediction_files, COPY]
        for name in names:
            if names.count(name) > 1:
                raise OptionError("--predictions", f"{name!r} is another system, too", "give it another name")
        if self.name is not None and _NAME.fullmatch(self.name) is None:
            raise OptionError(
                "--name", f"{self.name!r} is no name of a folder", "take letters, digits, dots and dashes"
            )
        if self.file is not None and self.split != Split.VALIDATION:
            raise OptionError("--split", "the test set is the --file", "give one of the two")
        if self.name in set(Split) and self.name != self._split_name:
            raise OptionError("--name", f"{self.name!r} is the evaluation of that split", "give another name")
        _ = self.thresholds

    @property
    def prediction_files(self) -> dict[str, Path]:
        """The files of predictions by the name of their system."""
        files: dict[str, Path] = {}
        for given in self.predictions:
            name, equals, path = given.partition("=")
            if not (name and equals and path) or name in files:
                raise OptionError(
                    "--predictions", f"{given!r} is no NAME=FILE of its own", "give one like trl=out.jsonl"
                )
            files[name] = Path(path)
        return files

    @property
    def thresholds(self) -> dict[str, float]:
        """The least score by the name of its metric."""
        least: dict[str, float] = {}
        for given in self.fail_below:
            name, _, score = given.partition("=")
            try:
                least[name] = float(score)
            except ValueError:
                least[name] = math.nan
            if not math.isfinite(least[name]):
                raise OptionError("--fail-below", f"{given!r} is no METRIC=SCORE", "give one like chrf=60")
        return least

    @property
    def folder_name(self) -> str:
        """The name of the evaluation: never that of a split for a file, and never one that leads out of its folder."""
        if self.name is not None or self.file is None:
            return self.name or self.split.value
        # Not `stem`, which is another from Python 3.14 on: that of "...jsonl".
        stem = self.file.name.rpartition(".")[0] or self.file.name
        return f"file-{_NO_NAME.sub('-', stem)}"[:_MOST_NAME]

    @property
    def _split_name(self) -> str | None:
        return self.split.value if self.file is None else None
