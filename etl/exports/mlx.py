"""The configuration of mlx-lm, for `mlx_lm.lora`, and its data folder; after the source of mlx-lm 0.32."""

import shlex
from collections.abc import Mapping, Sequence

from saturi.etl.exports.chunks import Write, joined_chunks
from saturi.etl.exports.steps import card, evaluation
from saturi.etl.exports.training import BATCH, LORA_RANK, MAX_TOKENS, SHARES, Export, Step, Training, joined, quoted
from saturi.schemas.manifest import ChunkRow
from saturi.schemas.terms import Split

_NAMES = {Split.TRAIN: "data/train.jsonl", Split.VALIDATION: "data/valid.jsonl"}
_PORT = 8080
_ADAPTED = "default_model"
_SCALE = 2.0  # what others name alpha, by the rank: 32 / 16


def mlx(training: Training) -> Export:
    """Return the export for mlx-lm, whose data is a file a split."""
    batch = min(BATCH, training.examples, training.held_out or BATCH)  # mlx-lm refuses splits that are less than one
    steps = training.examples // batch
    lines = [
        f"model: {quoted(training.base_model)}",
        "train: true",
        "data: data",
        "fine_tune_type: lora",
        "mask_prompt: true",
        "num_layers: -1",
        f"lora_parameters: {{rank: {LORA_RANK}, dropout: 0.0, scale: {_SCALE}}}",
        f"max_seq_length: {MAX_TOKENS}",
        f"batch_size: {batch}",
        f"grad_accumulation_steps: {SHARES}",
        f"iters: {training.epochs * steps}",
        "optimizer: adamw",
        "learning_rate: 2.0e-4",
        "grad_checkpoint: true",
        "steps_per_report: 10",
        f"steps_per_eval: {steps}",
        f"save_every: {steps}",
        "seed: 42",
        f"adapter_path: {training.model_folder}",
    ]
    links, data = _files(training.chunks)
    return Export({"lora.yaml": joined(lines)}, _steps(training), links=links, data=data, batch=batch)


def _steps(training: Training) -> list[Step]:
    """
    Return the steps on a Mac, the usual three first.

    The server answers with its adapter to the name `default_model` alone (mlx-lm 0.32, `ModelProvider.load`); as any other name,
    which is that of a model to load, it answers without. So the seed tells tunes apart.
    """
    base, model, merged = shlex.quote(training.base_model), training.model_folder, training.merged_folder
    return [
        Step("Train, in the environment of mlx-lm", "mlx_lm.lora --config lora.yaml"),
        Step("Serve, likewise", f"mlx_lm.server --model {base} --adapter-path {model} --port {_PORT}"),
        evaluation(_ADAPTED, _PORT, training, seed=training.seed),
        Step(
            "Or serve it merged into a model of its own, in the environment of mlx-lm",
            f"mlx_lm.fuse --model {base} --adapter-path {model} --save-path {merged}\n"
            f"mlx_lm.server --model {merged} --port {_PORT}",
        ),
        evaluation(merged, _PORT, training, name="merged"),
        card(_ADAPTED, training),
    ]


def _files(chunks: Sequence[ChunkRow]) -> tuple[Mapping[str, ChunkRow], Mapping[str, Write]]:
    """Return the file of each split by its path: linked where the split has one chunk, else its chunks joined in their order."""
    links, data = {}, {}
    for split, path in _NAMES.items():
        of = [chunk for chunk in chunks if chunk.split == split]
        if len(of) == 1:
            links[path] = of[0]
        elif of:
            data[path] = joined_chunks(of)
    return links, data
