"""What a build can be exported to; each has a module of its own, which is to be run, or loaded, in the folder of the export."""

from collections.abc import Callable
from enum import StrEnum

from saturi.etl.exports.axolotl import axolotl
from saturi.etl.exports.dataset import dataset
from saturi.etl.exports.llama_factory import llama_factory
from saturi.etl.exports.mlx import mlx
from saturi.etl.exports.parquet import parquet
from saturi.etl.exports.training import Export, Training
from saturi.etl.exports.trl import trl
from saturi.etl.exports.unsloth import unsloth


class Trainer(StrEnum):
    """What trains on a build, or loads it to train something else."""

    TRL = "trl"
    AXOLOTL = "axolotl"
    LLAMA_FACTORY = "llama-factory"
    UNSLOTH = "unsloth"
    MLX = "mlx"
    HF = "hf"
    PARQUET = "parquet"


TRAINERS: dict[Trainer, Callable[[Training], Export]] = {
    Trainer.TRL: trl,
    Trainer.AXOLOTL: axolotl,
    Trainer.LLAMA_FACTORY: llama_factory,
    Trainer.UNSLOTH: unsloth,
    Trainer.MLX: mlx,
    Trainer.HF: dataset,
    Trainer.PARQUET: parquet,
}
