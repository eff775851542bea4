"""Base models by short name, and the memory that tuning and serving one takes: an estimate by a stated formula."""

from pathlib import Path

from saturi.etl.exports.training import BATCH, MAX_TOKENS
from saturi.etl.settings.catalogue import read_catalogue
from saturi.schemas.base_model import BaseModel

_OURS = Path(__file__).with_name("base_models.toml")

DEFAULT_BASE_MODEL = "Qwen/Qwen2.5-1.5B-Instruct"

_WEIGHT_BYTES = 2  # bfloat16
_QUANTIZED_BYTES = 0.6  # four bits, and the scales
_ADAPTER_BYTES = (
    0.16  # an adapter of rank 16 has about a hundredth of the weights, 16 bytes each: weight, gradient, two moments
)
_LOGIT_BYTES = 10  # bfloat16, float32, and the gradient in float32
_USUAL_TOKENS = 512
_ELSE = 1e9  # activations with checkpoints, and the libraries
_GIGABYTE = 1e9


def read_base_models() -> dict[str, BaseModel]:
    """Return the base models of the catalogue by short name."""
    return read_catalogue(_OURS, None, BaseModel)


def find_base_model(name: str) -> BaseModel | None:
    """Return the base model of the catalogue with this short *name*, or this name on the Hub; None where it is another."""
    models = read_base_models()
    return models.get(name) or next((model for model in models.values() if model.id == name), None)


def batch_tokens(mean_tokens: float | None) -> int:
    """Return the tokens that a row of a batch is taken to have: twice the mean of an example, for rows are padded."""
    return _USUAL_TOKENS if mean_tokens is None else min(MAX_TOKENS, round(2 * mean_tokens))


def training_gigabytes(model: BaseModel, tokens: int, *, quantized: bool, batch: int = BATCH) -> float:
    """
    Return the memory that training an adapter of *model* takes, about, in gigabytes (10⁹ bytes).

    Args:
        model: The base model.
        tokens: Of a row of a batch.
        quantized: Whether the base model is loaded in four bits.
        batch: Rows of a batch.
    """
    weights = model.parameters * ((_QUANTIZED_BYTES if quantized else _WEIGHT_BYTES) + _ADAPTER_BYTES)
    return (weights + batch * tokens * model.vocabulary * _LOGIT_BYTES + _ELSE) / _GIGABYTE


def serving_gigabytes(model: BaseModel) -> float:
    """Return the memory that *model* takes where it answers, about, in gigabytes, without what a server sets aside for itself."""
    return (model.parameters * _WEIGHT_BYTES + _ELSE) / _GIGABYTE


def formula(tokens: int, *, quantized: bool, batch: int = BATCH) -> str:
    """Return the formula of `training_gigabytes` in words, with its numbers."""
    each = _QUANTIZED_BYTES if quantized else _WEIGHT_BYTES
    return (
        f"{each:g} bytes a weight, {_ADAPTER_BYTES:g} more for the adapter, {_LOGIT_BYTES} bytes a logit of {batch} rows of"
        f" {tokens:,} tokens, and 1 GB"
    )


def notes_of(model: BaseModel) -> list[str]:
    """Return what there is to know of *model* before it is tuned, a sentence each."""
    licence = f"{model.licence}: {model.licence_note}" if model.licence_note else model.licence
    system = (
        "has a system turn"
        if model.system_role
        else "has no system turn: the instruction stands before the user's text"
    )
    notes = [f"Licence of {model.id}: {licence}.", f"Its chat template {system}."]
    if model.thinks:
        notes.append("Its chat template has a part for thoughts.")
    if model.template_note:
        notes.append(f"{model.template_note[0].upper()}{model.template_note[1:]}.")
    notes.append(f"Facts of {model.as_of}, from {model.source}.")
    if model.not_verified:
        notes.append(f"Not verified: {model.not_verified}.")
    return notes
