"""A script for Unsloth; after the source of unsloth and unsloth_zoo 2026.10.9."""

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
    quoted,
)

_SCRIPT = '''\
"""Tune BASE_MODEL on the chunks of this build, by Unsloth: `python train.py` in this folder."""

from pathlib import Path

from datasets import DatasetDict, load_dataset

CHUNKS = Path(__file__).resolve().parent / "{chunks}"
BASE_MODEL = {base_model}
MAX_TOKENS = {max_tokens}
MODEL = {model_folder}


def load_texts(tokenizer) -> DatasetDict:
    """Return train, and validation where there is one, with each conversation as one text in the tokenizer's template."""

    def render(batch):
        return {{"text": [tokenizer.apply_chat_template(messages, tokenize=False) for messages in batch["messages"]]}}

    return load_dataset(str(CHUNKS)).map(render, batched=True, remove_columns=["messages"])


def main() -> None:
    from unsloth import FastLanguageModel  # first: it changes what the others import

    from trl import SFTConfig, SFTTrainer
    from unsloth.chat_templates import train_on_responses_only

    model, tokenizer = FastLanguageModel.from_pretrained(BASE_MODEL, max_seq_length=MAX_TOKENS, load_in_4bit=True)
    model = FastLanguageModel.get_peft_model(model, r={rank}, lora_alpha={alpha}, random_state=42)
    texts = load_texts(tokenizer)
    settings = SFTConfig(
        output_dir=MODEL,
        dataset_text_field="text",
        max_length=MAX_TOKENS,
        num_train_epochs={epochs},
        learning_rate=2e-4,
        per_device_train_batch_size={batch},
        gradient_accumulation_steps={shares},
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
    train_on_responses_only(trainer).train()  # it finds in the template where answers begin
    model.save_pretrained(MODEL)
    tokenizer.save_pretrained(MODEL)


if __name__ == "__main__":
    main()
'''


def unsloth(training: Training) -> Export:
    """Return the export for Unsloth."""
    script = _SCRIPT.format(
        base_model=quoted(training.base_model),
        chunks=CHUNKS_FROM_EXPORT,
        max_tokens=MAX_TOKENS,
        rank=LORA_RANK,
        alpha=2 * LORA_RANK,
        batch=BATCH,
        shares=SHARES,
        epochs=training.epochs,
        model_folder=json.dumps(training.model_folder),
    )
    files = {"train.py": script, "merge.py": merge_script(training)}
    return Export(files, adapter_steps("python train.py", training), quantized=True)
