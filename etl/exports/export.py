"""Export a build to what trains open models: TRL, Axolotl, LLaMA-Factory, Unsloth, or a Hugging Face dataset folder."""

import shutil
from pathlib import Path

from etl.errors import BuildError, OptionError
from etl.exports.card import dataset_card
from etl.exports.targets import DEFAULT_BASE_MODEL, TARGETS, Target, Training
from etl.output.files import link_whole, make_folder, storage_errors, sync_folder, write_whole
from etl.output.finished import FinishedBuild
from etl.output.folder import claimed
from etl.settings.paths import path_of
from schemas.manifest import Manifest
from schemas.terms import Split

EXPORTS = "export"
CARD = "README.md"


def export(out: str | Path, to: str, base_model: str = DEFAULT_BASE_MODEL) -> Path:
    """
    Write what *to* reads into a folder beside the chunks of a build, in the place of what was there, and return the folder.

    The same build gives the same bytes. The configurations lead to the chunks where they are; the Hugging Face folder
    holds them itself, as further names of the same files where the system can do that, else as copies. The card,
    `README.md`, comes last: with it the folder is whole.

    Args:
        out: Folder of the build.
        to: One of `Target`.
        base_model: The model to tune, as the trainer names it.

    Raises:
        BuildError: *out* holds no finished build, a damaged one, or one without an example to learn from.
        OptionError: Nothing is known of *to*, or a name is empty.
        StorageError: The folder cannot be written, or a build is writing there.
    """
    out = path_of(out, "OUT")
    if to not in set(Target):
        raise OptionError("--to", f"{to!r} is unknown", f"choose from {', '.join(Target)}")
    if not base_model:
        raise OptionError("--base-model", "the name is empty", "give the model to tune, or leave it out")
    target = Target(to)
    build = FinishedBuild.open(out)
    build.refuse_damage()
    manifest = build.manifest
    training = _training(out, manifest, base_model)
    folder = out / EXPORTS / target
    with claimed(out, out):
        with storage_errors(folder, 0):
            if folder.exists():
                shutil.rmtree(folder)
        make_folder(folder)
        files, usage = TARGETS[target](training)
        for name, content in files.items():
            write_whole(folder / name, [content.encode()])
        front = ""
        if target is Target.HF:
            _link_chunks(out, folder, manifest)
            front = _front(manifest)
        write_whole(folder / CARD, [dataset_card(manifest, build.manifest_sha256, front, usage).encode()])
        with storage_errors(folder, 0):
            sync_folder(folder)
    return folder


def _training(out: Path, manifest: Manifest, base_model: str) -> Training:
    examples = {split: sum(s.examples for s in manifest.shards if s.split == split) for split in Split}
    if not examples[Split.TRAIN]:
        raise BuildError(str(out), "the build has no example to learn from", "see why the utterances were dropped")
    return Training(base_model, examples[Split.TRAIN], has_validation=examples[Split.VALIDATION] > 0)


def _link_chunks(out: Path, folder: Path, manifest: Manifest) -> None:
    for chunk in manifest.chunks:
        target = folder / "data" / Path(chunk.path).relative_to("chunks")
        make_folder(target.parent)
        link_whole(out / chunk.path, target)


def _front(manifest: Manifest) -> str:
    """Return the YAML in front of a card that tells the Hub's tools which files are which split, and whose they are."""
    splits = [split for split in Split if any(chunk.split == split for chunk in manifest.chunks)]
    paths = "".join(f"      - split: {split}\n        path: data/{split}/*.jsonl\n" for split in splits)
    return f"""\
---
license: other
license_name: aihub-terms-of-use
language: ko
task_categories: [text-generation]
configs:
  - config_name: default
    data_files:
{paths}---

"""
