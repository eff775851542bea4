"""
The configuration of TRL, for `trl sft`, and its data; after the source of TRL 1.16.

The loss is that of the answer alone. For conversations (`assistant_only_loss`) that takes a template with generation marks,
which few models have, and a template of ours would have to equal the one that only the model's repository holds. Prompt and
completion apart are masked by TRL with any template: the model's own, which it is served with, too.
"""

from saturi.etl.exports.chunks import prompted
from saturi.etl.exports.steps import adapter_steps, merge_script
from saturi.etl.exports.training import (
    BATCH,
    LORA_RANK,
    MAX_TOKENS,
    SHARES,
    Export,
    Training,
    joined,
    path_in_export,
    quoted,
)


def trl(training: Training) -> Export:
    """Return the export for TRL."""
    lines = [
        f"model_name_or_path: {quoted(training.base_model)}",
        "dtype: bfloat16",  # the default of `trl sft` is float32, whatever the model's own
        "dataset_name: ./data",
        "dataset_train_split: train",
        *(["dataset_test_split: validation", "eval_strategy: epoch"] if training.has_validation else []),
        f"num_train_epochs: {training.epochs}",
        f"max_length: {MAX_TOKENS}",
        "completion_only_loss: true",
        "packing: false",
        "learning_rate: 2.0e-4",
        f"per_device_train_batch_size: {BATCH}",
        f"gradient_accumulation_steps: {SHARES}",
        "use_peft: true",
        f"lora_r: {LORA_RANK}",
        "lora_alpha: 32",
        "logging_steps: 10",
        "save_strategy: epoch",
        "seed: 42",
        "report_to: none",
        f"output_dir: {training.model_folder}",
    ]
    data = {path_in_export(chunk): prompted(chunk) for chunk in training.chunks}
    files = {"sft.yaml": joined(lines), "merge.py": merge_script(training)}
    return Export(files, adapter_steps("trl sft --config sft.yaml", training), data=data)
