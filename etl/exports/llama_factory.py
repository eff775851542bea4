"""The configuration of LLaMA-Factory; after the source of LLaMA-Factory 0.9.5."""

import json

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
    template = training.facts.llama_factory_template if training.facts else None
    lines = [
        f"model_name_or_path: {quoted(training.base_model)}",
        "stage: sft",
        "do_train: true",
        "finetuning_type: lora",
        f"lora_rank: {LORA_RANK}",
        f"lora_alpha: {2 * LORA_RANK}",
        "lora_target: all",
        "dataset_dir: .",
        "dataset: saturi_train",
        *(["eval_dataset: saturi_validation", "eval_strategy: epoch"] if training.has_validation else []),
        *([f"template: {template}"] if template else []),  # without one, the model's own is read
        "train_on_prompt: false",
        f"cutoff_len: {MAX_TOKENS}",
        f"per_device_train_batch_size: {BATCH}",
        f"gradient_accumulation_steps: {SHARES}",
        "learning_rate: 2.0e-4",
        f"num_train_epochs: {training.epochs}.0",
        "lr_scheduler_type: cosine",
        "bf16: true",
        "logging_steps: 10",
        "save_strategy: epoch",
        "seed: 42",
        "report_to: none",
        f"output_dir: {training.model_folder}",
    ]
    files = {
        "dataset_info.json": json.dumps(info, indent=2) + "\n",
        "sft.yaml": joined(lines),
        "merge.py": merge_script(training),
    }
    return Export(files, adapter_steps("llamafactory-cli train sft.yaml", training))
