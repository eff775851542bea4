"""The configuration of LLaMA-Factory; after its documentation and loaders of 2026."""

import json

from etl.exports.training import CHUNKS_FROM_EXPORT, MAX_TOKENS, Export, Training, joined, usage_of


def llama_factory(training: Training) -> Export:
    """Return the export for LLaMA-Factory."""
    form = {
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
            "system_tag": "system",
        },
    }
    splits = ["train", "validation"] if training.has_validation else ["train"]
    info = {f"saturi_{split}": {"file_name": f"{CHUNKS_FROM_EXPORT}/{split}", **form} for split in splits}
    lines = [
        f"model_name_or_path: {json.dumps(training.base_model)}",
        "stage: sft",
        "do_train: true",
        "finetuning_type: lora",
        "lora_rank: 16",
        "lora_target: all",
        "dataset_dir: .",
        "dataset: saturi_train",
        *(["eval_dataset: saturi_validation", "eval_strategy: epoch"] if training.has_validation else []),
        f"cutoff_len: {MAX_TOKENS}",
        "per_device_train_batch_size: 8",
        "gradient_accumulation_steps: 4",
        "learning_rate: 2.0e-4",
        f"num_train_epochs: {training.epochs}.0",
        "lr_scheduler_type: cosine",
        "bf16: true",
        "logging_steps: 10",
        "save_strategy: epoch",
        "seed: 42",
        f"output_dir: {training.model_folder}",
    ]
    files = {"dataset_info.json": json.dumps(info, indent=2) + "\n", "sft.yaml": joined(lines)}
    return Export(files, usage_of("llamafactory-cli train sft.yaml", training))
