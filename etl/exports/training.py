"""What every export has: what there is to train on, the files of a trainer, and the paths between them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import PurePosixPath
from typing import NamedTuple

from saturi.etl.exports.chunks import Write
from saturi.schemas.base_model import BaseModel
from saturi.schemas.manifest import ChunkRow
from saturi.schemas.model import EpochRule
from saturi.schemas.terms import Split

CHUNKS_FROM_EXPORT = "../../chunks"
MAX_TOKENS = 2048
"""Longer examples are cut; those of single label files have a few hundred."""

LORA_RANK = 16
BATCH = 8
SHARES = 4
"""Batches of a step: gradients of several are added up, for the memory that one takes."""


class Training(NamedTuple):
    """
    What a configuration depends on.

    Args:
        trainer: The trainer.
        base_model: The model to tune, as the trainer names it.
        facts: What is known of it, or None.
        examples: Examples to learn from.
        held_out: Examples held out from it.
        manifest_sha256: Names the build.
        chunks: Rows of its manifest.
    """

    trainer: str
    base_model: str
    facts: BaseModel | None
    examples: int
    held_out: int
    manifest_sha256: str
    chunks: Sequence[ChunkRow]

    @property
    def has_validation(self) -> bool:
        """Whether there is something to evaluate on while training."""
        return self.held_out > 0

    @property
    def epochs(self) -> int:
        """Times every example is seen, by the rule of providers."""
        return EpochRule().default(self.examples)

    @property
    def key(self) -> str:
        """
        What folders of a trainer are named after, by build and base model.

        Trainers know their caches and checkpoints by path and not by content: under one name, Axolotl would train on the
        tokens of an earlier build, and LLaMA-Factory go on from its checkpoint.
        """
        return sha256(f"{self.manifest_sha256} {self.base_model}".encode()).hexdigest()[:12]

    @property
    def model_folder(self) -> str:
        """Where the trainer writes the model, below the folder of the export."""
        return f"model-{self.key}"

    @property
    def merged_folder(self) -> str:
        """Where the model goes with its adapter merged into it, below the folder of the export."""
        return f"merged-{self.trainer}-{self.key}"

    @property
    def served_name(self) -> str:
        """
        What a server is to name the model.

        An evaluation knows answers by the name of the model: under one name, a second tune would get the answers of the first.
        """
        return f"saturi-{self.trainer}-{self.key}"

    @property
    def seed(self) -> int:
        """A seed for requests to a server that names every model alike; it tells tunes apart as their names would."""
        return int(self.key[:7], 16)

    @property
    def prepared_folder(self) -> str:
        """Where the trainer keeps tokens, below the folder of the export."""
        return f"prepared-{self.key}"

    @property
    def splits(self) -> list[Split]:
        """The splits that have examples."""
        return [split for split in Split if any(chunk.split == split for chunk in self.chunks)]


class Step(NamedTuple):
    """A command, and what it does."""

    title: str
    command: str


class Export(NamedTuple):
    """
    An export, but for its card.

    Args:
        files: Texts by name.
        steps: What comes next, the usual steps first; none where nothing is trained.
        usage: How to use the export where there are no steps, in Markdown.
        links: Chunks that lie in the export, too, by their path there.
        data: Files of data in another form than the chunks, by their path there.
        quantized: Whether the base model is loaded in four bits.
        batch: Rows of a batch.
        front: YAML in front of the card, for the Hugging Face Hub's tools.
    """

    files: Mapping[str, str] = {}
    steps: Sequence[Step] = ()
    usage: str = ""
    links: Mapping[str, ChunkRow] = {}
    data: Mapping[str, Write] = {}
    quantized: bool = False
    batch: int = BATCH
    front: str = ""


def quoted(text: str) -> str:
    """Return *text* in quotes, as YAML and Python read it, beyond the Basic Multilingual Plane, too."""
    return json.dumps(text, ensure_ascii=False)


def path_in_export(chunk: ChunkRow) -> str:
    """Return the path of *chunk*, or of what is made of it alone, below the folder of an export."""
    return str(PurePosixPath("data") / PurePosixPath(chunk.path).relative_to("chunks"))


def joined(lines: Iterable[str]) -> str:
    """Return *lines* as a text."""
    return "".join(f"{line}\n" for line in lines)
