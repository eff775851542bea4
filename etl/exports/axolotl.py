"""The configuration of Axolotl; after its documentation and loaders of 2026."""

import json

from etl.exports.training import CHUNKS_FROM_EXPORT, MAX_TOKENS, Export, Training, joined, usage_of


def axolotl(training: Training) -> Export:
    """Return the export for Axolotl."""
    validation = [
        "test_datasets:",
        f"  - path: {CHUNKS_FROM_EXPORT}",
        "    split: validation",
        "    type: chat_template",
        "    field_messages: messages",
        '    roles_to_train: ["assistant"]',
    ]
    lines = [
        f"base_model: {json.dumps(training.base_model)}",
        "datasets:",
        f"  - path: {CHUNKS_FROM_EXPORT}",
        "    split: train",
        "    type: chat_template",
        "    field_messages: messages",
        '    roles_to_train: ["assistant"]',
        *(validation if training.has_validation else ["val_set_size: 0"]),
        f"dataset_prepared_path: {training.prepared_folder}",
        f"output_dir: {training.model_folder}",
        f"sequence_len: {MAX_TOKENS}",
        "adapter: lora",
        "lora_r: 16",
        "lora_alpha: 32",
        "lora_target_linear: true",
        f"num_epochs: {training.epochs}",
        "micro_batch_size: 8",
        "gradient_accumulation_steps: 4",
        "gradient_checkpointing: true",
        "optimizer: adamw_torch",
        "lr_scheduler: cosine",
        "learning_rate: 0.0002",
        "bf16: auto",
        "logging_steps: 10",
        "seed: 42",
    ]
    return Export({"axolotl.yaml": joined(lines)}, usage_of("axolotl train axolotl.yaml", training))
