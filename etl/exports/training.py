"""What every export has: what there is to train on, the files of a trainer, and the paths between them."""

from hashlib import sha256
from typing import NamedTuple

from schemas.model import EpochRule

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
    """

    base_model: str
    examples: int
    has_validation: bool
    manifest_sha256: str

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


class Export(NamedTuple):
    """The files of an export by name, and how to use them, in Markdown."""

    files: dict[str, str]
    usage: str


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
