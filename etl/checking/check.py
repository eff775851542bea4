"""Chat JSONL, line by line, against what fine-tuning APIs take; nothing is changed, and nothing sent."""

from collections.abc import Callable, Sequence

from saturi.etl.checking.limits import Limits, limits_of
from saturi.etl.checking.report import CheckReport
from saturi.etl.example.tokens import Tokenizer, load_tokenizer
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.providers.profiles import DEFAULT_PROVIDER, read_providers
from saturi.etl.settings.checks import whole_number
from saturi.etl.settings.paths import locations_of
from saturi.etl.storage.location import Location

SHOWN = 20

Observer = Callable[[str, bytes], None]
"""Called with the path of a chunk in the manifest and each block of its bytes, in the order of the manifest."""


def check(
    files: str | Location | Sequence[str | Location],
    limits: Limits | None = None,
    *,
    validation: str | Location | Sequence[str | Location] = (),
    tokenizer: Tokenizer | None = None,
    show: int = SHOWN,
) -> CheckReport:
    """
    Return everything that is wrong with *files*; a provider would take them if there is no error.

    A file may be larger than memory, of which 20 bytes a line are used to find lines that are there twice.

    Args:
        files: Files of chat JSONL, or folders of builds, whose manifest names the split of each chunk; or URLs of either. The
            chunks of a split are checked as one file without a byte order mark: for sending they are joined, and a mark is put
            in front.
        limits: What they are held against; None for what OpenAI takes.
        validation: Files held out from training.
        tokenizer: Counts tokens of examples; None for o200k_base.
        show: Problems to return in full; all are counted.

    Raises:
        BuildError: A folder holds no finished build, or a damaged one.
        InputError: A file cannot be read.
    """
    from saturi.etl.checking.checker import Checker  # noqa: PLC0415 - it needs Polars, which a build's parent process never loads
    from saturi.etl.checking.sets import file_sets  # noqa: PLC0415 - as above

    show = whole_number("show", show, 0)
    limits = limits or limits_of(read_providers()[DEFAULT_PROVIDER])
    sets = list(file_sets(locations_of(files, "FILES"), locations_of(validation, "--validation")))
    return Checker(limits, tokenizer or load_tokenizer(), show).check(sets)


def check_build(
    build: FinishedBuild,
    limits: Limits,
    observers: Sequence[Observer] = (),
    *,
    tokenizer: Tokenizer | None = None,
    show: int = SHOWN,
) -> CheckReport:
    """
    Return everything that is wrong with the lines of *build*, which is verified in the same pass over its chunks.

    Args:
        build: The build.
        limits: What its lines are held against.
        observers: Called with every block of every chunk before it is looked at.
        tokenizer: Counts tokens of examples; None for o200k_base.
        show: Problems to return in full; all are counted.

    Raises:
        BuildError: The build is damaged; what is wrong with its lines does not matter then.
    """
    from saturi.etl.checking.checker import Checker  # noqa: PLC0415 - it needs Polars, which a build's parent process never loads
    from saturi.etl.checking.sets import sets_of_build  # noqa: PLC0415 - as above

    return Checker(limits, tokenizer or load_tokenizer(), show, observers).check(list(sets_of_build(build)))
