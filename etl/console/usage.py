"""Errors of usage that click finds, in the form of every other: where, what is wrong, what to do."""

import click

from saturi.etl.errors import OptionError


def usage_error(error: click.ClickException) -> OptionError:
    """Return the error of ours for *error*; where nothing better is known, the advice is the help of the command."""
    command = _command_of(error)
    advice = "see saturi --help" if command is None else f"see saturi {command} --help"
    command = command or "saturi"
    match error:
        case click.NoSuchOption():
            return OptionError(error.option_name, "no such option", _nearest(error.possibilities, advice))
        case click.NoSuchCommand():
            return OptionError(error.command_name, "no such command", _nearest(error.possibilities, advice))
        case click.MissingParameter():
            return OptionError(_name_of(error.param) or command, "missing", error.message or advice)
        case click.BadParameter():
            return _split(_name_of(error.param) or command, error.message, advice)
        case click.BadOptionUsage():
            message = error.message.removeprefix(f"Option {error.option_name!r} ")
            return _split(error.option_name, message, advice)
    return _split(command, error.message, advice)


def _command_of(error: click.ClickException) -> str | None:
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    return None if ctx is None or ctx.parent is None else ctx.info_name


def _name_of(parameter: click.Parameter | None) -> str | None:
    """Return *parameter* as it is typed: an option in its long form, an argument in capitals."""
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return None if parameter is None else parameter.human_readable_name


def _nearest(names: list[str] | None, advice: str) -> str:
    return f"did you mean {names[0]}? S{advice[1:]}" if names else advice


def _split(where: str, message: str, advice: str) -> OptionError:
    """Return the error of *message*, which may have an advice of its own behind its last semicolon."""
    sentence = " ".join(message.split()).rstrip(".")  # click lists choices line by line
    problem, semicolon, own = sentence.rpartition("; ")
    if not semicolon:
        problem, own = sentence, advice
    return OptionError(where, problem[:1].lower() + problem[1:], own)
