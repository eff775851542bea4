"""What a build can be exported to; each has a module of its own, which is to be run, or loaded, in the folder of the export."""

from collections.abc import Callable
from enum import StrEnum

from etl.exports.axolotl import axolotl
from etl.exports.dataset import dataset
from etl.exports.llama_factory import llama_factory
from etl.exports.mlx import mlx
from etl.exports.parquet import parquet
from etl.exports.training import Export, Training
from etl.exports.trl import trl
from etl.exports.unsloth import unsloth


class Target(StrEnum):
    """What trains on a build, or loads it."""

    TRL = "trl"
    AXOLOTL = "axolotl"
    LLAMA_FACTORY = "llama-factory"
    UNSLOTH = "unsloth"
    MLX = "mlx"
    HF = "hf"
    PARQUET = "parquet"


TARGETS: dict[Target, Callable[[Training], Export]] = {
    Target.TRL: trl,
    Target.AXOLOTL: axolotl,
    Target.LLAMA_FACTORY: llama_factory,
    Target.UNSLOTH: unsloth,
    Target.MLX: mlx,
    Target.HF: dataset,
    Target.PARQUET: parquet,
}
