"""
What each trainer reads: its configuration, with paths relative to the folder of the export, where it is to be run.

The forms are those of TRL 1.16 (its own source), Axolotl and LLaMA-Factory (their documentation and loaders, 2026) and
Unsloth (its examples). Settings are modest ones to begin with; what is best is for an evaluation to tell.
"""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from schemas.model import EpochRule

CHUNKS_FROM_EXPORT = "../../chunks"
DEFAULT_BASE_MODEL = "Qwen/Qwen2.5-1.5B-Instruct"
MAX_TOKENS = 2048
"""Longer examples are cut; those of single label files have a few hundred."""


class Target(StrEnum):
    """What trains, or loads, a build."""

    TRL = "trl"
    AXOLOTL = "axolotl"
    LLAMA_FACTORY = "llama-factory"
    UNSLOTH = "unsloth"
    HF = "hf"


class Training(NamedTuple):
    """What a configuration depends on: the model to tune, the examples to learn from, and whether some are held out."""

    base_model: str
    examples: int
    has_validation: bool

    @property
    def epochs(self) -> int:
        """Times every example is seen, by the rule of providers."""
        return EpochRule().default(self.examples)


class Export(NamedTuple):
    """The files of an export by name, and how to use them, in Markdown."""

    files: dict[str, str]
    usage: str


def _trl(training: Training) -> Export:
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
        "output_dir: model",
    ]
    return Export({"sft.yaml": _joined(lines)}, _usage("trl sft --config sft.yaml"))


def _axolotl(training: Training) -> Export:
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
        "dataset_prepared_path: prepared",
        "output_dir: model",
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
    return Export({"axolotl.yaml": _joined(lines)}, _usage("axolotl train axolotl.yaml"))


def _llama_factory(training: Training) -> Export:
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
        "output_dir: model",
    ]
    files = {"dataset_info.json": json.dumps(info, indent=2) + "\n", "sft.yaml": _joined(lines)}
    return Export(files, _usage("llamafactory-cli train sft.yaml"))


_UNSLOTH = '''\
"""Tune BASE_MODEL on the chunks of this build, by Unsloth: `python train.py` in this folder."""

from pathlib import Path

from datasets import DatasetDict, load_dataset

CHUNKS = Path(__file__).resolve().parent / "{chunks}"
BASE_MODEL = {base_model}
MAX_TOKENS = {max_tokens}


def load_texts(tokenizer) -> DatasetDict:
    """Return train, and validation where there is one, with each conversation as one text in the tokenizer's template."""

    def render(batch):
        return {{"text": [tokenizer.apply_chat_template(messages, tokenize=False) for messages in batch["messages"]]}}

    return load_dataset(str(CHUNKS)).map(render, batched=True, remove_columns=["messages"])


def main() -> None:
    from unsloth import FastLanguageModel  # first: it changes what the others import

    from trl import SFTConfig, SFTTrainer

    model, tokenizer = FastLanguageModel.from_pretrained(BASE_MODEL, max_seq_length=MAX_TOKENS, load_in_4bit=True)
    model = FastLanguageModel.get_peft_model(model, r=16, lora_alpha=32, random_state=42)
    texts = load_texts(tokenizer)
    settings = SFTConfig(
        output_dir="model",
        dataset_text_field="text",
        max_length=MAX_TOKENS,
        num_train_epochs={epochs},
        learning_rate=2e-4,
        per_device_train_batch_size=8,
        gradient_accumulation_steps=4,
        eval_strategy="epoch" if "validation" in texts else "no",
        logging_steps=10,
        save_strategy="epoch",
        seed=42,
        report_to="none",
    )
    trainer = SFTTrainer(
        model=model,
        processing_class=tokenizer,
        args=settings,
        train_dataset=texts["train"],
        eval_dataset=texts.get("validation"),
    )
    trainer.train()
    model.save_pretrained("model")
    tokenizer.save_pretrained("model")


if __name__ == "__main__":
    main()
'''


def _unsloth(training: Training) -> Export:
    script = _UNSLOTH.format(
        base_model=json.dumps(training.base_model),
        chunks=CHUNKS_FROM_EXPORT,
        max_tokens=MAX_TOKENS,
        epochs=training.epochs,
    )
    return Export({"train.py": script}, _usage("python train.py"))


def _hf(_training: Training) -> Export:
    usage = """\
```python
from datasets import load_dataset

dataset = load_dataset("OUT/export/hf")
```
"""
    return Export({}, usage)


TARGETS: dict[Target, Callable[[Training], Export]] = {
    Target.TRL: _trl,
    Target.AXOLOTL: _axolotl,
    Target.LLAMA_FACTORY: _llama_factory,
    Target.UNSLOTH: _unsloth,
    Target.HF: _hf,
}


def _usage(command: str) -> str:
    return f"In this folder, whose paths lead to the chunks beside it:\n\n```sh\n{command}\n```\n"


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
