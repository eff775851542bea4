"""The configuration of TRL, for `trl sft`; after the source of TRL 1.16."""

import json

from etl.exports.training import CHUNKS_FROM_EXPORT, MAX_TOKENS, Export, Training, joined, usage_of


def trl(training: Training) -> Export:
    """Return the export for TRL."""
    lines = [
        f"model_name_or_path: {json.dumps(training.base_model)}",
        f"dataset_name: {CHUNKS_FROM_EXPORT}",
        "dataset_train_split: train",
        *(["dataset_test_split: validation", "eval_strategy: epoch"] if training.has_validation else []),
        f"num_train_epochs: {training.epochs}",
        f"max_length: {MAX_TOKENS}",
        "packing: false",
        "learning_rate: 2.0e-4",
        "per_device_train_batch_size: 8",
        "gradient_accumulation_steps: 4",
        "use_peft: true",
        "lora_r: 16",
        "lora_alpha: 32",
        "logging_steps: 10",
        "save_strategy: epoch",
        "seed: 42",
        "report_to: none",
        f"output_dir: {training.model_folder}",
    ]
    return Export({"sft.yaml": joined(lines)}, usage_of("trl sft --config sft.yaml", training))
