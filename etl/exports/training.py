"""What every export has: what there is to train on, the files of a trainer, and the paths between them."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import PurePosixPath
from typing import NamedTuple

from etl.exports.chunks import Write
from schemas.manifest import ChunkRow
from schemas.model import EpochRule
from schemas.terms import Split

CHUNKS_FROM_EXPORT = "../../chunks"
DEFAULT_BASE_MODEL = "Qwen/Qwen2.5-1.5B-Instruct"
MAX_TOKENS = 2048
"""Longer examples are cut; those of single label files have a few hundred."""


class Training(NamedTuple):
    """
    What a configuration depends on.

    Args:
        base_model: The model to tune, as the trainer names it.
        examples: Examples to learn from.
        has_validation: Whether some are held out.
        manifest_sha256: Names the build.
        chunks: Rows of its manifest.
    """

    base_model: str
    examples: int
    has_validation: bool
    manifest_sha256: str
    chunks: Sequence[ChunkRow]

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
    def prepared_folder(self) -> str:
        """Where the trainer keeps tokens, below the folder of the export."""
        return f"prepared-{self.key}"

    @property
    def splits(self) -> list[Split]:
        """The splits that have examples."""
        return [split for split in Split if any(chunk.split == split for chunk in self.chunks)]


class Export(NamedTuple):
    """
    An export, but for its card.

    Args:
        files: Texts by name.
        usage: How to use them, in Markdown.
        links: Chunks that lie in the export, too, by their path there.
        data: Files of data in another form than the chunks, by their path there.
        front: YAML in front of the card, for the Hugging Face Hub's tools.
    """

    files: Mapping[str, str]
    usage: str
    links: Mapping[str, ChunkRow] = {}
    data: Mapping[str, Write] = {}
    front: str = ""


def path_in_export(chunk: ChunkRow) -> str:
    """Return the path of *chunk*, or of what is made of it alone, below the folder of an export."""
    return str(PurePosixPath("data") / PurePosixPath(chunk.path).relative_to("chunks"))


def usage_of(command: str, training: Training) -> str:
    """Return how to run *command*, in Markdown."""
    return f"""\
In this folder, whose paths lead to the chunks beside it:

```sh
{command}
```

The model goes to `{training.model_folder}`, named after this build and base model: an export of others leaves it alone.
"""


def joined(lines: list[str]) -> str:
    """Return *lines* as a text."""
    return "".join(f"{line}\n" for line in lines)
