"""Export a build to what trains open models: TRL, Axolotl, LLaMA-Factory, Unsloth, or a Hugging Face dataset folder."""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from etl.errors import BuildError, OptionError
from etl.exports.card import dataset_card
from etl.exports.targets import TARGETS, Target
from etl.exports.training import DEFAULT_BASE_MODEL, Export, Training
from etl.output.files import draft_in, make_folder, sweep
from etl.output.finished import FinishedBuild
from etl.output.folder import claimed, refuse_link
from etl.output.replacement import Content, replace_files
from etl.output.sums import file_sha256
from etl.settings.paths import folder_of
from schemas.terms import Split

EXPORTS = "export"
CARD = "README.md"

_PATTERN = re.compile(r"\[|\*|\?|::")
"""What `datasets`, which all of these trainers load files by, takes for a pattern or a chain of archives (5.2, by trial)."""


def export(out: str | Path, to: str, base_model: str = DEFAULT_BASE_MODEL) -> Path:
    """
    Write what *to* reads into a folder beside the chunks of a build, and return the folder.

    The same build gives the same bytes. The configurations lead to the chunks where they are; the Hugging Face folder
    holds them itself, as further names of the same files where the system can do that, else as copies. Only what an export
    wrote is replaced: models, caches and notes that lie there stay.

    Args:
        out: Folder of the build.
        to: One of `Target`.
        base_model: The model to tune, as the trainer names it.

    Raises:
        BuildError: *out* holds no finished build, a damaged one, one without an example to learn from, or one in a folder
            whose name no trainer can read.
        ForeignFolderError: A file of an export was changed since, or something else has its name.
        OptionError: Nothing is known of *to*, or a name is empty.
        StorageError: The folder cannot be written, or a build is writing there.
    """
    out = folder_of(out, "OUT")
    if to not in set(Target):
        raise OptionError("--to", f"{to!r} is unknown", f"choose from {', '.join(Target)}")
    if not base_model:
        raise OptionError("--base-model", "the name is empty", "give the model to tune, or leave it out")
    target = Target(to)
    build = FinishedBuild.open(out)
    build.refuse_damage()
    _refuse_patterns(build)
    folder = out / EXPORTS / target
    written = TARGETS[target](_training(build, base_model))
    with claimed(out, out):
        for path in (folder.parent, folder):
            refuse_link(path)
        make_folder(folder)
        sweep(folder.parent)
        with _contents(build, written, folder.parent) as files:
            replace_files(folder, files)
    return folder


def _refuse_patterns(build: FinishedBuild) -> None:
    path = str(build.folder.resolve())
    match = _PATTERN.search(path)
    if match is not None or os.path.expandvars(path) != path:
        name = match[0] if match else "$"
        problem = f"trainers take the {name} in this path for a pattern, and do not find the chunks"
        raise BuildError(path, problem, "rename the folder, then export again")


def _training(build: FinishedBuild, base_model: str) -> Training:
    shards, chunks = build.manifest.shards, build.manifest.chunks
    examples = {split: sum(shard.examples for shard in shards if shard.split == split) for split in Split}
    if not examples[Split.TRAIN]:
        advice = "see why its utterances were dropped, in the manifest or by `saturi explain`"
        raise BuildError(str(build.given), "the build has no example to learn from", advice)
    return Training(base_model, examples[Split.TRAIN], examples[Split.VALIDATION] > 0, build.manifest_sha256, chunks)


@contextmanager
def _contents(build: FinishedBuild, export: Export, folder: Path) -> Iterator[dict[str, Content]]:
    """Give the files of an export by their path in it, the card last; those of data lie in *folder* meanwhile."""
    with ExitStack() as drafts:
        files = {name: Content.of(text) for name, text in export.files.items()}
        for path, chunk in export.links.items():
            files[path] = Content(build.folder / chunk.path, chunk.sha256)
        for path, write in export.data.items():
            draft = drafts.enter_context(draft_in(folder))
            write(build, draft)
            files[path] = Content(draft, file_sha256(draft))
        card = dataset_card(build.manifest, build.manifest_sha256, export.front, export.usage)
        yield files | {CARD: Content.of(card)}
