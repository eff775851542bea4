"""The glossary has every term of the manifest, of `--json` and of the command line, once and no other."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from msgspec import inspect as types
from runs import manifest_of, one_thread

from saturi.etl.checking.report import Kind
from saturi.etl.console.dispatch import COMMANDS, cli
from saturi.etl.exports.trainers import Trainer
from saturi.etl.formats.types import FILES, OUTPUT_TYPES
from saturi.etl.pipeline.build import build
from saturi.etl.select.markup import RULES
from saturi.etl.submission.news import News
from saturi.schemas.cleaning import Action
from saturi.schemas.fetch import RepairState
from saturi.schemas.inspection import Inspection
from saturi.schemas.ledger import FINAL, FileState, JobState
from saturi.schemas.terms import DropReason, RejectReason, Split, SplitKey

ROOT = Path(__file__).parents[1]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")

WORDS = """
corpus, archive, label file, utterance, pair, example, region, speech type, split, shard, chunk, reject, drop, stage, manifest,
ledger, build, job, finished build, reason, group, section, stratum, adapter, profile
"""
"""Words of the design, which no struct or option defines."""

OUTPUT = (*OUTPUT_TYPES.values(), *(file.type for file in FILES.values() if not file.tables))
"""What commands write to files of their own, and print by `--json`."""


def _terms(section: str) -> list[str]:
    """Return the first column of the table under *section*, one term after the other, without quotes."""
    [table] = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", GLOSSARY, flags=re.DOTALL | re.MULTILINE)
    cells = re.findall(r"^\| (.*?) \|", table, flags=re.MULTILINE)
    return [term.strip("`") for cell in cells if cell != "term" for term in cell.split(", ")]


def _structs(found: types.Type) -> Iterator[types.StructType]:
    """Yield the structs that a value of the type *found* holds, itself included."""
    if isinstance(found, types.StructType):
        yield found
        for field in found.fields:
            yield from _structs(field.type)
    elif isinstance(found, types.UnionType):
        for member in found.types:
            yield from _structs(member)
    elif isinstance(found, types.ListType | types.VarTupleType):
        yield from _structs(found.item_type)
    elif isinstance(found, types.DictType):
        yield from _structs(found.value_type)


def _output_structs() -> list[types.StructType]:
    return [struct for kind in OUTPUT for struct in _structs(types.type_info(kind))]


def _parameters() -> list[click.Parameter]:
    commands = [cli.get_command(click.Context(cli), name) for name in COMMANDS]
    return [parameter for command in commands if command is not None for parameter in command.params]


def _keys(value: Any) -> Iterator[str]:
    """Yield the keys of all objects in the JSON *value*."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)


def _literals(literal: Any) -> tuple[str, ...]:
    """Return the values of a `Literal`."""
    values: tuple[str, ...] = literal.__args__
    return values


def _sorted(terms: Iterable[str]) -> list[str]:
    return sorted(set(terms))


def test_words() -> None:
    """Every word of the design has one row in the tables of words."""
    words = [*_terms("Corpus"), *_terms("Build"), *_terms("Training")]
    assert [word for word in re.split(r",\s", WORDS.strip()) if words.count(word) != 1] == []


@pytest.mark.parametrize("section", re.findall(r"^## (.*)$", GLOSSARY, flags=re.MULTILINE))
def test_a_table_has_a_term_once(section: str) -> None:
    """No table defines a term twice."""
    terms = _terms(section)
    assert terms
    assert sorted(terms) == _sorted(terms)


def test_commands() -> None:
    """The commands are those of the command line, in its order."""
    assert _terms("Commands") == list(COMMANDS)


def test_arguments() -> None:
    """The arguments are those of all commands."""
    names = {parameter.human_readable_name for parameter in _parameters() if isinstance(parameter, click.Argument)}
    assert sorted(_terms("Arguments")) == sorted(names)


def test_options() -> None:
    """The options are those of all commands; an option that negates another stands in its row."""
    options = {parameter.opts[0] for parameter in _parameters() if isinstance(parameter, click.Option)}
    negations = {option for parameter in _parameters() for option in parameter.secondary_opts} | {"--no-dedup"}
    assert sorted(_terms("Options")) == sorted(options - negations)
    assert [option for option in negations if f"`{option}`" not in GLOSSARY] == []


def test_values_of_options() -> None:
    """The values are the choices of all options but for reasons, the actions of cleaning rules, and the splits."""
    choices = {
        choice
        for parameter in _parameters()
        if isinstance(parameter.type, click.Choice)
        for choice in parameter.type.choices
    }
    assert sorted(_terms("Values of options")) == _sorted(
        [*choices - set(DropReason), *Action, *Split, *SplitKey, *Trainer, "official"]
    )


def test_cleaning_rules() -> None:
    """The cleaning rules are those of the code, in their order."""
    assert _terms("Cleaning rules") == [rule.name for rule in RULES]


def test_reasons() -> None:
    """The reasons are those of the closed lists, in their order."""
    assert _terms("Reasons for rejects") == list(RejectReason)
    assert _terms("Reasons for drops") == list(DropReason)


def test_problems() -> None:
    """The problems of a check are those of the closed list, in its order."""
    assert _terms("Problems of `check`") == [*Kind, "error", "warning"]


def test_states() -> None:
    """The states are those of files and jobs in the ledger, of news, of ended jobs, of damage, and of repaired zips."""
    news = [struct.tag for struct in _structs(types.type_info(News)) if isinstance(struct.tag, str)]
    damage = ("changed", "missing", "extra", "unreadable")
    states = [*_literals(FileState), *_literals(JobState), *news, *FINAL, *damage, *_literals(RepairState)]
    assert sorted(_terms("States")) == _sorted(states)


def test_fields() -> None:
    """The fields are those of every struct in the manifest and in the output of `--json`, in the order of the alphabet."""
    fields = {field.encode_name for struct in _output_structs() for field in struct.fields}
    terms = _terms("Fields")
    assert [term for term in terms if term not in fields | {"clean_rules"}] == []
    assert sorted(fields - set(terms)) == []


def test_keys_of_counts(sample_build: Path, sample_inspection: Inspection) -> None:
    """Every key that a build writes and an inspection prints is in the glossary, those of counts by name included."""
    values = [msgspec.to_builtins(sample_inspection), manifest_of(sample_build)]
    keys = {key for value in values for key in _keys(value) if re.fullmatch(r"[a-z0-9_]*[a-z_][a-z0-9_]*", key)}
    written = {term.lstrip("-").replace("-", "_") for term in re.findall(r"`([a-z0-9_-]+)`", GLOSSARY)}
    assert keys - written == set()


def test_files_of_a_build(here: Path) -> None:
    """Every file and folder that a build leaves in its output folder is in the glossary and in the document of commands."""
    build([here / "corpus"], here / "out", make_executor=one_thread, workers=1)
    written = {path.name + "/" * path.is_dir() for path in (here / "out").iterdir() if not path.name.startswith(".")}
    assert written - set(_terms("Files")) == set()
    document = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert [name for name in written if f"\n  {name}" not in document] == []
