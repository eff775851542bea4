"""
Write a small Llama of random numbers: `python -m tests.toy.model CHUNKS FOLDER`.

Its tokenizer is made from the texts in CHUNKS, a folder of chat JSONL: pairs of bytes are joined, the most frequent first,
until each frequent word is a token. It runs in the environment of a trainer, which has transformers.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

PAD, END = "[pad]", "[end]"
ROLES = ("[system]", "[user]", "[assistant]")
TEMPLATE = (
    "{% for message in messages %}[{{ message['role'] }}]{{ message['content'] }}[end]{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
_MOST_TOKENS = 2048
_SHAPE: dict[str, Any] = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
}


def texts_of(chunks: Path) -> Iterator[str]:
    """Yield the text of every message in the files of *chunks*."""
    for path in sorted(chunks.glob("*.jsonl")):
        with path.open("rb") as lines:
            for line in lines:
                yield from (message["content"] for message in json.loads(line)["messages"])


def make_tokenizer(texts: Iterator[str]) -> PreTrainedTokenizerFast:
    """Return a tokenizer made from *texts*, with a template for conversations."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_MOST_TOKENS,
        special_tokens=[PAD, END, *ROLES],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, eos_token=END)
    fast.chat_template = TEMPLATE
    return fast


def main(chunks: Path, folder: Path) -> None:
    """Write the model to *folder*; the same texts give the same model."""
    tokenizer = make_tokenizer(texts_of(chunks))
    torch.manual_seed(0)
    special: dict[str, Any] = {
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
    }
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **_SHAPE, **special))
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    sys.stdout.write(f"{folder}: {model.num_parameters():,} random numbers, {len(tokenizer):,} tokens\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
