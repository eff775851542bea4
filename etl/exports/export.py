"""Export a build: configuration and data of what trains open models, or a dataset folder."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from saturi.etl.errors import BuildError, OptionError
from saturi.etl.exports.base_models import (
    DEFAULT_BASE_MODEL,
    batch_tokens,
    find_base_model,
    formula,
    notes_of,
    serving_gigabytes,
    training_gigabytes,
)
from saturi.etl.exports.card import dataset_card
from saturi.etl.exports.steps import USUAL, usage_of
from saturi.etl.exports.trainers import TRAINERS, Trainer
from saturi.etl.exports.training import Export, Step, Training, joined
from saturi.etl.output.copies import copy_build
from saturi.etl.output.files import draft_in, make_folder, sweep
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.holding import claimed, refuse_link
from saturi.etl.output.replacement import Content, replace_files
from saturi.etl.output.side import local_side, make_side
from saturi.etl.output.sums import file_sha256
from saturi.etl.settings.checks import check_name
from saturi.etl.storage.location import Location, ObjectPath
from saturi.schemas.manifest import ShardRow
from saturi.schemas.terms import Split

EXPORTS = "export"
CARD = "README.md"

_PATTERN = re.compile(r"\[|\*|\?|::")
"""What `datasets`, which all of these trainers load files by, takes for a pattern or a chain of archives (5.2, by trial)."""


class Exported(NamedTuple):
    """
    An export that was written.

    Args:
        folder: Where it lies.
        notes: What there is to know of the base model, and the memory it takes, a sentence each.
        steps: The usual commands that come next.
    """

    folder: Path
    notes: Sequence[str]
    steps: Sequence[Step]


def export(out: str | Location, to: str, base_model: str = DEFAULT_BASE_MODEL) -> Path:
    """
    Write what *to* reads into a folder beside the chunks of a build, and return the folder; see `write_export`.

    Args:
        out: Folder of the build, or its URL.
        to: One of `Trainer`.
        base_model: The model to tune: a short name of `base_models.toml`, or as the trainer names it.

    Raises:
        BuildError: *out* holds no finished build, a damaged one, one without an example to learn from, or one in a folder
            whose name no trainer can read.
        ForeignFolderError: A file of an export was changed since, or something else has its name.
        OptionError: Nothing is known of *to*, or a name is empty.
        StorageError: The folder cannot be written, or a build is writing there.
    """
    return write_export(out, to, base_model).folder


def write_export(out: str | Location, to: str, base_model: str = DEFAULT_BASE_MODEL) -> Exported:
    """
    Write what *to* reads into a folder beside the chunks of a build, and return what comes next.

    The same build gives the same bytes. The configurations lead to the chunks where they are, as far as the trainer reads
    them so; where it does not, and in the Hugging Face folder, the export has data of its own: the chunks under further names
    where they are the same and the system can do that, else files of their own. Only what an export wrote is replaced: models,
    caches and notes that lie there stay. Of a build in object storage the chunks are first downloaded to its local side, those
    that are not there yet. Arguments and errors are those of `export`.
    """
    if to not in set(Trainer):
        raise OptionError("--to", f"{to!r} is unknown", f"choose from {', '.join(Trainer)}")
    check_name("--base-model", base_model)
    trainer = Trainer(to)
    build = _on_this_machine(FinishedBuild.open(out))
    build.refuse_damage()
    _refuse_patterns(build)
    side = local_side(build.given)
    folder = side / EXPORTS / trainer
    training = _training(build, trainer, base_model)
    written = TRAINERS[trainer](training)
    notes = _notes(written, training, build.manifest.shards)
    with claimed(side, side):
        for path in (folder.parent, folder):
            refuse_link(path)
        make_folder(folder)
        sweep(folder.parent)
        with _contents(build, written, _usage(written, training, notes), side) as files:
            replace_files(folder, files)
    return Exported(folder, notes, written.steps[:USUAL])


def _on_this_machine(build: FinishedBuild) -> FinishedBuild:
    """Return *build*, or what of it is downloaded to its local side, which trainers read as if it had been built there."""
    if not isinstance(build.given, ObjectPath):
        return build
    side = make_side(build.given)
    with claimed(side, side):
        return copy_build(build, side)


def _refuse_patterns(build: FinishedBuild) -> None:
    path = os.path.realpath(str(build.folder))
    match = _PATTERN.search(path)
    if match is not None or os.path.expandvars(path) != path:
        name = match[0] if match else "$"
        problem = f"trainers take the {name} in this path for a pattern, and do not find the chunks"
        raise BuildError(path, problem, "rename the folder, then export again")


def _training(build: FinishedBuild, trainer: Trainer, base_model: str) -> Training:
    shards, chunks = build.manifest.shards, build.manifest.chunks
    examples = {split: sum(shard.examples for shard in shards if shard.split == split) for split in Split}
    if not examples[Split.TRAIN]:
        advice = "see why its utterances were dropped, in the manifest or by `saturi explain`"
        raise BuildError(str(build.given), "the build has no example to learn from", advice)
    facts = find_base_model(base_model)
    name = facts.id if facts else _found_anywhere(base_model)
    held_out, sha256 = examples[Split.VALIDATION], build.manifest_sha256
    return Training(trainer, name, facts, examples[Split.TRAIN], held_out, sha256, chunks)


def _found_anywhere(base_model: str) -> str:
    """Return *base_model*, with its whole path where it is a folder here: trainers run in the folder of the export."""
    return os.path.abspath(base_model) if os.path.isdir(base_model) else base_model  # noqa: PTH100, PTH112 - for a name that no path can have, Path raises


def _notes(export: Export, training: Training, shards: Sequence[ShardRow]) -> list[str]:
    """Return what there is to know of the base model before it is trained; nothing where none is."""
    if not export.steps:
        return []
    counted = [shard.tokens for shard in shards if shard.tokens is not None]
    examples = sum(shard.examples for shard in shards)
    tokens = batch_tokens(sum(counted) / examples if len(counted) == len(shards) else None)
    how = formula(tokens, quantized=export.quantized, batch=export.batch)
    model = training.facts
    if model is None:
        return [f"Memory for training, about: {how}; the size of {training.base_model} is not known here."]
    trained = training_gigabytes(model, tokens, quantized=export.quantized, batch=export.batch)
    served = serving_gigabytes(model)
    memory = (
        f"Memory, about: {trained:.0f} GB to train it, {served:.0f} GB to serve it; estimated ({how}), not measured."
    )
    return [memory, *notes_of(model)]


def _usage(export: Export, training: Training, notes: Sequence[str]) -> str:
    """Return how to use an export, in Markdown."""
    if not export.steps:
        return export.usage
    return f"{usage_of(export.steps, training)}\n## Base model\n\n{training.base_model}\n\n{joined(f'* {note}' for note in notes)}"


@contextmanager
def _contents(build: FinishedBuild, export: Export, usage: str, side: Path) -> Iterator[dict[str, Content]]:
    """Give the files of an export by their path in it, the card last; chunks lie in *side*, and what is made of them meanwhile."""
    with ExitStack() as drafts:
        files = {name: Content.of(text) for name, text in export.files.items()}
        for path, chunk in export.links.items():
            files[path] = Content(side / chunk.path, chunk.sha256)
        for path, write in export.data.items():
            draft = drafts.enter_context(draft_in(side / EXPORTS))
            write(build, draft)
            files[path] = Content(draft, file_sha256(draft))
        card = dataset_card(build.manifest, build.manifest_sha256, export.front, usage)
        yield files | {CARD: Content.of(card)}
