"""The configuration of Axolotl; after the source of Axolotl 0.19."""

from saturi.etl.exports.steps import adapter_steps, merge_script
from saturi.etl.exports.training import (
    BATCH,
    CHUNKS_FROM_EXPORT,
    LORA_RANK,
    MAX_TOKENS,
    SHARES,
    Export,
    Training,
    joined,
    quoted,
)

_FORM = [
    "    type: chat_template",
    "    field_messages: messages",
    '    roles_to_train: ["assistant"]',
    "    train_on_eos: turn",
]


def axolotl(training: Training) -> Export:
    """Return the export for Axolotl."""
    validation = [
        "test_datasets:",
        f"  - path: {CHUNKS_FROM_EXPORT}",
        "    split: validation",
        *_FORM,
    ]
    lines = [
        f"base_model: {quoted(training.base_model)}",
        "datasets:",
        f"  - path: {CHUNKS_FROM_EXPORT}",
        "    split: train",
        *_FORM,
        "chat_template: tokenizer_default",
        "train_on_inputs: false",
        *(validation if training.has_validation else ["val_set_size: 0"]),
        f"dataset_prepared_path: {training.prepared_folder}",
        f"output_dir: {training.model_folder}",
        f"sequence_len: {MAX_TOKENS}",
        "adapter: lora",
        f"lora_r: {LORA_RANK}",
        "lora_alpha: 32",
        "lora_target_linear: true",
        f"num_epochs: {training.epochs}",
        f"micro_batch_size: {BATCH}",
        f"gradient_accumulation_steps: {SHARES}",
        "gradient_checkpointing: true",
        "optimizer: adamw_torch",
        "lr_scheduler: cosine",
        "learning_rate: 0.0002",
        "bf16: auto",
        "logging_steps: 10",
        "seed: 42",
    ]
    files = {"axolotl.yaml": joined(lines), "merge.py": merge_script(training)}
    return Export(files, adapter_steps("axolotl train axolotl.yaml", training))
