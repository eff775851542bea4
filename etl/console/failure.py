"""The failure of a command: one sentence on stderr and in the log, or with `--json` one line of JSON there."""

import sys
import traceback
from collections.abc import Iterator

import click

from saturi.etl.console.display import display, has_colours, terminal_columns
from saturi.etl.errors import EtlError, ExhaustedError
from saturi.etl.output.printable import printable

_MOST_CHARACTERS = 2_000  # of a sentence
_PARTS = ("problem", "advice")
_RED, _PLAIN = "\x1b[1;31m", "\x1b[0m"


def show_failure(error: BaseException, exit_code: int, sentence: str) -> None:
    """Show on stderr that *error* ended the command with *exit_code*, of which *sentence* is all that people need."""
    sentence = printable(sentence, _MOST_CHARACTERS)
    display.log(f"saturi: {sentence}")
    if display.verbose:
        for line in _frames(error):
            click.echo(printable(line), err=True)
    if wants_json():
        click.echo(_as_json(error, exit_code, sentence), err=True)
    else:
        name = f"{_RED}saturi:{_PLAIN}" if has_colours(sys.stderr) else "saturi:"
        click.echo(f"{name} {_folded(error, sentence)}", err=True, color=True)


def wants_json() -> bool:
    """Return whether the command line asks for JSON, also where it is no command line at all."""
    return "--json" in sys.argv[1:]


def _folded(error: BaseException, sentence: str) -> str:
    """Return *sentence* in lines of the terminal, if stderr is one and there is memory to find that out."""
    columns = 0 if isinstance(error, ExhaustedError | MemoryError) else terminal_columns(sys.stderr)
    if len(sentence) * 2 < columns or not columns:
        return sentence
    from rich.text import Text  # noqa: PLC0415 - what fits does not wait for it

    from saturi.etl.console.lines import folded  # noqa: PLC0415 - as above

    rows = folded(Text(f"saturi: {sentence}"), columns)
    return "\n".join(row.plain for row in rows).removeprefix("saturi: ")


def _frames(error: BaseException) -> Iterator[str]:
    """Yield where *error* came from, and the errors behind it; without their messages, which may quote what was read."""
    behind = error.__cause__ or error.__context__
    if behind is not None:
        yield from _frames(behind)
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"  {frame.filename}:{frame.lineno} {frame.name}"
    yield type(error).__qualname__


def _as_json(error: BaseException, exit_code: int, sentence: str) -> str:
    import msgspec  # noqa: PLC0415 - help does not wait for it

    from saturi.etl.output.printable import escaped_json  # noqa: PLC0415 - as above
    from saturi.schemas.failure import Failure  # noqa: PLC0415 - as above

    where, problem, advice = _parts(error)
    failure = Failure(
        error=type(error).__name__,
        exit_code=exit_code,
        message=sentence,
        where=where,
        problem=problem,
        advice=advice,
    )
    return escaped_json(msgspec.json.encode(failure)).decode()


def _parts(error: BaseException) -> list[str | None]:
    """Return where, what is wrong and what to do, of an error of ours that is made of these three."""
    named = (getattr(error, "where", getattr(error, "path", None)), *(getattr(error, name, None) for name in _PARTS))
    parts = error.args if isinstance(error, EtlError) and None in named else named
    three = [printable(part) if isinstance(part, str) else None for part in parts]
    return three if len(three) == len(named) else [None, None, None]
