"""Chat JSONL, line by line, against what fine-tuning APIs take; nothing is changed, and nothing sent."""

from collections.abc import Sequence
from pathlib import Path

from etl.checking.limits import Limits, limits_of
from etl.checking.report import CheckReport
from etl.example.tokens import Tokenizer, load_tokenizer
from etl.providers.profiles import DEFAULT_PROVIDER, read_providers

SHOWN = 20


def check(
    files: Sequence[str | Path],
    limits: Limits | None = None,
    *,
    validation: Sequence[str | Path] = (),
    tokenizer: Tokenizer | None = None,
    show: int = SHOWN,
) -> CheckReport:
    """
    Return everything that is wrong with *files*; a provider would take them if there is no error.

    A file may be larger than memory, of which 20 bytes a line are used to find lines that are there twice.

    Args:
        files: Files of chat JSONL, or folders of builds, whose validation chunks are told from the others. The chunks of a
            split are judged as one file, which has no byte order mark: whoever sends them joins them, and puts one in front.
        limits: What they are held against; None for what OpenAI takes.
        validation: Files held out from training.
        tokenizer: Counts tokens of examples; None for o200k_base.
        show: Problems to return in full; all are counted.

    Raises:
        InputError: A file cannot be read, or a folder holds no finished build.
    """
    from etl.checking.run import run  # noqa: PLC0415 - it needs Polars, which a build's parent process never loads

    limits = limits or limits_of(read_providers()[DEFAULT_PROVIDER])
    paths, held_out = [Path(file) for file in files], [Path(file) for file in validation]
    return run(paths, limits, held_out, tokenizer or load_tokenizer(), show)
